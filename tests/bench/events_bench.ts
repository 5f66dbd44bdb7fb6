import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, residentBytes } from "./measure.ts";

const WATCHERS = 1_000;
const ROUNDS = 15;

/**
 * The events of a change of labels: that it was admitted, and that the environment is ready again.
 * The bare server writes the same number of messages.
 */
const EVENTS = 2;
const MB = 1024 * 1024;

const program = (name: string) => new URL(`./programs/${name}.ts`, import.meta.url).pathname;

/** How long an event takes to reach every one of many watchers. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const platform = await startPlatform(["--data-dir", directory, "--simulated-delays=none"]);
  const bare = startDeno(["run", "--allow-all", program("fan_out_server"), `${EVENTS}`]);
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
    // Created before the watches begin, so that they receive only changes.
    const change = await changer(platform.grpc);
    const ofBare = await watch(`grpc://127.0.0.1:${port}`);
    const ofPlatform = await watch(platform.grpc.href);
    const took: { bare: number[]; platform: number[] } = { bare: [], platform: [] };
    const tell = () => Promise.resolve(bare.kill("SIGUSR1"));
    for (let round = 0; round <= ROUNDS; round++) {
      const alone = await nextTime(ofBare, tell);
      const event = await nextTime(ofPlatform, change);
      // The first round warms up.
      if (round === 0) continue;
      took.bare.push(alone);
      took.platform.push(event);
    }
    const memory = await residentBytes(platform.process.pid);
    const [event, alone] = [quantile(took.platform), quantile(took.bare)];
    return [
      {
        name: `a change's ${EVENTS} events to ${WATCHERS} watchers`,
        value: event,
        unit: "ms",
        reference: `bare grpc-js fan-out of as many (${alone} ms)`,
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

/** Creates an environment, and returns a function that changes it. */
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

/**
 * The longest delay that a client reports for the events of `trigger`. Resolves when all delays
 * have been reported, so that no event is on its way during the next measurement.
 */
async function nextTime(
  client: Subprocess,
  trigger: () => Promise<unknown>,
): Promise<number> {
  const before = times(client).length;
  await trigger();
  // Counted again each time, because `line` passes old lines again with every new one.
  return await client.line(() => {
    const told = times(client).slice(before);
    return told.length >= EVENTS ? Math.max(...told) : undefined;
  });
}

/** The delays that a client has reported, from complete lines. */
function times(client: Subprocess): number[] {
  const lines = client.output().split("\n").slice(0, -1);
  return lines.filter((line) => /^\d+$/.test(line)).map(Number);
}
