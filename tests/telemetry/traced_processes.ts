/** The platform as separate processes that export their spans, and the tree of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiProcess } from "../servers/api_process.ts";
import { type OtlpReceiver, type Span, startOtlpReceiver } from "../servers/otlp_receiver.ts";
import { type Result, runCommand } from "../servers/run_command.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { workerAddressesOf } from "../servers/worker_process.ts";

const WORKER = new URL("../servers/faulty_worker.ts", import.meta.url).pathname;
const MPCTL = new URL("../../cli/main.ts", import.meta.url).pathname;

export interface TracedProcesses extends AsyncDisposable {
  readonly receiver: OtlpReceiver;
  /** The web door of the API. */
  readonly web: URL;
  /** Its gRPC door. */
  readonly grpc: URL;
  /** Runs mpctl to its end, as a process that exports its spans too. */
  mpctl(...args: readonly string[]): Promise<Result>;
  /** Kills the worker like a power cut, and starts another one. */
  replaceWorker(): Promise<void>;
}

/** Starts the API and a worker whose rollouts fail, on an engine with these flags. */
export async function startTracedProcesses(
  engine: "embedded" | "temporal",
  flags: readonly string[] = [],
): Promise<TracedProcesses> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "mpc-traces-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const receiver = stack.use(startOtlpReceiver());
  const started: Subprocess[] = [];
  stack.defer(async () => {
    for (const process of started) process.kill("SIGKILL");
    await Promise.all(started.map(({ status }) => status));
  });
  const startWorker = async (internalPort: string) => {
    const process = startDeno(
      ["run", "--allow-all", WORKER, engine, "--simulated-delays=none", ...flags],
      {
        ...receiver.env,
        OTEL_SERVICE_NAME: "worker",
        MPC_DATA_DIR: directory,
        MPC_HEALTH_LISTEN: "127.0.0.1:0",
        MPC_INTERNAL_LISTEN: `127.0.0.1:${internalPort}`,
      },
    );
    started.push(process);
    return await workerAddressesOf(process);
  };
  let worker = await startWorker("0");
  const env = { ...receiver.env, OTEL_SERVICE_NAME: "api" };
  const api = await startApiProcess(directory, [worker.internal], env);
  started.push(api.process);
  const running = stack.move();
  return {
    receiver,
    web: api.web,
    grpc: api.grpc,
    mpctl: (...args) =>
      runCommand([Deno.execPath(), "run", "--allow-all", "--quiet", MPCTL, ...args], {
        env: {
          ...receiver.env,
          OTEL_SERVICE_NAME: "mpctl",
          NO_COLOR: "1",
          MPC_CONFIG: join(directory, "config.yaml"),
          MPC_SERVER: api.web.origin,
        },
      }),
    async replaceWorker() {
      worker.process.kill("SIGKILL");
      await worker.process.status;
      worker = await startWorker(worker.internal.port);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The trace id that `mpctl --trace` prints. */
export function traceIdOf({ err }: Result): string {
  const [, traceId] = /^Trace ([0-9a-f]{32}) /m.exec(err) ?? [];
  if (traceId === undefined) throw new Error(`mpctl printed no trace id: ${err}`);
  return traceId;
}

/**
 * The spans of a trace as an indented tree: those of one process after those of another, each in
 * the order of their starts. Calls of the store, of which some run at the same time, are one line.
 */
export function treeOf(spans: readonly Span[], traceId: string): readonly string[] {
  const all = spans.filter((span) => span.traceId === traceId)
    .toSorted((a, b) => a.service.localeCompare(b.service) || a.startMs - b.startMs);
  const ids = new Set(all.map(({ spanId }) => spanId));
  const draw = (siblings: readonly Span[], indent: string): readonly string[] => {
    const stored = Map.groupBy(siblings.filter(isStorage), ({ service }) => service);
    return [
      ...[...stored].map(([service, calls]) => {
        const names = [...new Set(calls.map(({ name }) => name))].sort();
        return `${indent}${service} storage: ${names.join(", ")}`;
      }),
      ...siblings.filter((span) => !isStorage(span)).flatMap((span) => [
        `${indent}${textOf(span)}`,
        ...draw(all.filter(({ parentSpanId }) => parentSpanId === span.spanId), `${indent}  `),
      ]),
    ];
  };
  return draw(all.filter(({ parentSpanId }) => !ids.has(parentSpanId)), "");
}

const isStorage = ({ attributes }: Span): boolean => "db.system.name" in attributes;

function textOf({ service, kind, name, attributes }: Span): string {
  const { "mpc.attempt": attempt, "error.type": error } = attributes;
  return [
    `${service} ${kind} ${name}`,
    ...(attempt === undefined ? [] : [`#${attempt}`]),
    ...(error === undefined ? [] : [`failed: ${error}`]),
  ].join(" ");
}
