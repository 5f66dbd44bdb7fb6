import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService } from "@mpc/proto";
import { createGrpcTransport } from "../../cli/grpc_transport.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, residentBytes } from "./measure.ts";

const WATCHERS = 1_000;
const ROUNDS = 15;
const MB = 1024 * 1024;

const program = (name: string) => new URL(`./programs/${name}.ts`, import.meta.url).pathname;

/** How long an event takes to reach every one of many watchers. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const platform = await startPlatform(["--data-dir", directory, "--simulated-delays=none"]);
  const bare = startDeno(["run", "--allow-all", program("fan_out_server")]);
  const clients: Subprocess[] = [];
  try {
    const port = await bare.line((line) => /^\d+$/.test(line) ? line : undefined);
    const watch = async (url: string) => {
      const client = startDeno([
        "run",
        "--allow-all",
        program("fan_out_client"),
        url,
        `${WATCHERS}`,
      ]);
      clients.push(client);
      await client.line((line) => line === "ready" ? true : undefined);
      return client;
    };
    const ofBare = await watch(`grpc://127.0.0.1:${port}`);
    const ofPlatform = await watch(platform.grpc.href);
    const change = await changer(platform.grpc);
    const took: { bare: number[]; platform: number[] } = { bare: [], platform: [] };
    for (let round = 0; round < ROUNDS; round++) {
      took.bare.push(await nextTime(ofBare, () => Promise.resolve(bare.kill("SIGUSR1"))));
      took.platform.push(await nextTime(ofPlatform, change));
    }
    const memory = await residentBytes(platform.process.pid);
    const [event, alone] = [quantile(took.platform), quantile(took.bare)];
    return [
      {
        name: `an event to ${WATCHERS} watchers`,
        value: event,
        unit: "ms",
        reference: `bare grpc-js fan-out (${alone} ms)`,
        ratio: event / alone,
        target: { max: 1.5 },
      },
      {
        name: `memory with ${WATCHERS} watchers`,
        value: memory / MB,
        unit: "MB",
        target: { max: 300 },
      },
    ];
  } finally {
    for (const process of [...clients, bare]) {
      process.kill("SIGKILL");
      await process.status;
    }
    await platform.stop();
    await rm(directory, { recursive: true });
  }
}

/** Makes an environment, and changes it at each call. */
async function changer(url: URL): Promise<() => Promise<unknown>> {
  const transport = createGrpcTransport(url);
  const environments = createClient(EnvironmentService, transport);
  const operations = createClient(OperationService, transport);
  const { name } = await environments.createEnvironment({
    environmentId: "bench",
    environment: {},
  });
  await operations.waitOperation({ name });
  let change = 0;
  return async () => {
    const { name } = await environments.updateEnvironment({
      environment: { name: "environments/bench", labels: { change: `c${change++}` } },
      updateMask: { paths: ["labels"] },
    });
    await operations.waitOperation({ name });
  };
}

/** The time that a client tells of the first event that `trigger` makes. */
async function nextTime(client: Subprocess, trigger: () => Promise<unknown>): Promise<number> {
  const before = client.output().split("\n").length;
  await trigger();
  let line = 0;
  return await client.line((text) =>
    ++line >= before && /^\d+$/.test(text) ? Number(text) : undefined
  );
}
