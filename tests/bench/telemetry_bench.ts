import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService } from "@mpc/proto";
import config from "../../deno.json" with { type: "json" };
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { addressesOf, type PlatformProcess } from "../servers/platform_process.ts";
import { startDeno } from "../servers/subprocess.ts";
import { taskCommand } from "../servers/task_process.ts";
import type { BenchRow } from "./bench_row.ts";
import { cpuMs, quantile, rate } from "./measure.ts";

const ROOT = new URL("../../", import.meta.url);
const WITHOUT = new URL("./programs/without_telemetry.ts", import.meta.url).href;

const GETS = { ms: 1_000, inFlight: 16, rounds: 12 };
const OPERATIONS = { each: 40, rounds: 10 };

/** Kinds of platforms, each with the calls that are measured. */
type Kind = "bare" | "metrics" | "all";

/** What metrics and log lines add to `Get` and to an operation: each pair is measured in turn. */
export async function run(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const platforms = {
    bare: await start(join(folder, "bare"), ["--log-level=off"], await importMap(folder)),
    metrics: await start(join(folder, "metrics"), ["--log-level=off"]),
    all: await start(join(folder, "all"), ["--log-level=info"]),
  };
  const transports = new Map(
    Object.entries(platforms).map(([kind, { grpc }]) => [kind as Kind, createGrpcTransport(grpc)]),
  );
  try {
    let count = 0;
    const callsOf = (kind: Kind) => {
      const environments = createClient(EnvironmentService, transports.get(kind)!);
      const operations = createClient(OperationService, transports.get(kind)!);
      const create = async () => {
        const environmentId = `e-${count++}`;
        const { name } = await environments.createEnvironment({ environmentId, environment: {} });
        await operations.waitOperation({ name, timeout: durationFromMs(10_000) });
        return `environments/${environmentId}`;
      };
      return { create, get: (name: string) => environments.getEnvironment({ name }) };
    };
    const calls = { bare: callsOf("bare"), metrics: callsOf("metrics"), all: callsOf("all") };
    /** The processor time of a server for each of some calls. */
    const each = async (kind: Kind, run: () => Promise<number>) => {
      const { pid } = platforms[kind].process;
      const before = await cpuMs(pid);
      const count = await run();
      return (await cpuMs(pid) - before) / count;
    };
    const gets = await inTurns(GETS.rounds, async (kind) => {
      const name = await calls[kind].create();
      return await each(kind, async () => {
        let count = 0;
        await rate(() => {
          count++;
          return calls[kind].get(name);
        }, GETS);
        return count;
      });
    });
    const creates = await inTurns(OPERATIONS.rounds, (kind) =>
      each(kind, async () => {
        for (let n = 0; n < OPERATIONS.each; n++) await calls[kind].create();
        return OPERATIONS.each;
      }));
    return [
      ...rowsOf("Get by gRPC", gets),
      ...rowsOf("create an environment", creates),
    ];
  } finally {
    for (const transport of transports.values()) transport.close();
    await Promise.all(Object.values(platforms).map((platform) => platform.stop()));
    await rm(folder, { recursive: true });
  }
}

type Turns = Readonly<Record<Kind, readonly number[]>>;

/** Measures each kind in each round; the first round warms up. */
async function inTurns(rounds: number, measure: (kind: Kind) => Promise<number>): Promise<Turns> {
  const all: Record<Kind, number[]> = { bare: [], metrics: [], all: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const kind of ["bare", "metrics", "all"] as const) {
      const ms = await measure(kind);
      if (round > 0) all[kind].push(ms);
    }
  }
  return all;
}

/** The median of the ratios within rounds, so that other load on the machine cancels out. */
function rowsOf(what: string, turns: Turns): readonly BenchRow[] {
  return (["metrics", "all"] as const).map((kind) => ({
    name: `${what} with ${kind === "all" ? "metrics and log lines" : "metrics"}`,
    value: quantile(turns[kind]),
    unit: "ms",
    reference: "without both",
    ratio: quantile(turns[kind].map((ms, round) => ms / turns.bare[round]!)),
    target: { max: 1.1 },
    note: "processor time of the server, in turns",
  }));
}

/** @param more flags of Deno */
async function start(
  dataDir: string,
  flags: readonly string[],
  more: readonly string[] = [],
): Promise<PlatformProcess> {
  const { args: [verb = "run", ...args], env } = taskCommand("dev");
  return await addressesOf(startDeno([
    verb,
    ...more,
    ...args,
    ...["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0", "--rate-limit=1000000"],
    ...["--data-dir", dataDir, "--simulated-delays=none"],
    ...flags,
  ], env));
}

/** The flags of a platform that is built without telemetry. */
async function importMap(folder: string): Promise<readonly string[]> {
  const imports = Object.entries(config.imports).map(([name, target]) => [
    name,
    target.startsWith("./") ? new URL(target, ROOT).href : target,
  ]);
  const path = join(folder, "import_map.json");
  const map = { imports: { ...Object.fromEntries(imports), "@mpc/telemetry": WITHOUT } };
  await writeFile(path, JSON.stringify(map));
  return [`--import-map=${path}`];
}
