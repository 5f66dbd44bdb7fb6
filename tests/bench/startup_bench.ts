import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { startDeno } from "../servers/subprocess.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, residentBytes } from "./measure.ts";
import { startPlatform } from "../servers/platform_process.ts";

const ECHO = new URL("./programs/echo_server.ts", import.meta.url).pathname;
const ROUNDS = 9;

/** How much longer than an empty server the dev process may take. */
const ALLOWANCE_MS = 400;

/** The time from start to the first answered call, and the idle memory. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const dev: number[] = [];
  const empty: number[] = [];
  const memory: number[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const data = join(directory, "data");
      let start = performance.now();
      const platform = await startPlatform(["--data-dir", data]);
      await call(platform.grpc, true);
      const tookDev = performance.now() - start;
      const resident = await residentBytes(platform.process.pid);
      await platform.stop();
      start = performance.now();
      const echo = startDeno(["run", "--allow-all", ECHO, "unguarded"]);
      const port = await echo.line((line) => /^\d+$/.test(line) ? Number(line) : undefined);
      await call(new URL(`grpc://127.0.0.1:${port}`), false);
      const tookEmpty = performance.now() - start;
      echo.kill("SIGKILL");
      await echo.status;
      // The first round fills caches.
      if (round === 0) continue;
      dev.push(tookDev);
      empty.push(tookEmpty);
      memory.push(resident);
    }
    const value = quantile(dev);
    const reference = quantile(empty);
    return [
      {
        name: "dev, from start to the first answered call",
        value,
        unit: "ms",
        reference: `an empty grpc-js server (${reference.toFixed(0)} ms) + ${ALLOWANCE_MS} ms`,
        ratio: value / (reference + ALLOWANCE_MS),
        target: { max: 1 },
      },
      {
        name: "dev, resident memory when idle",
        value: quantile(memory) / 2 ** 20,
        unit: "MB",
        target: { max: 150 },
      },
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function call(url: URL, list: boolean): Promise<void> {
  const transport = createGrpcTransport(url);
  const client = createClient(EnvironmentService, transport);
  await (list
    ? client.listEnvironments({})
    : client.getEnvironment({ name: "environments/bench" }));
  transport.close();
}
