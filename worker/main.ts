/** A worker on Temporal: `deno task worker`. */
import process from "node:process";
import { assertPermitted, clusterNames, formatAddress, runProcess } from "@mpc/process";
import { readWorkerConfig, type WorkerConfig } from "./config.ts";
import { startTemporalEngine } from "./engine/temporal/mod.ts";
import { type RunningWorker, startWorker } from "./start_worker.ts";

function welcome(config: WorkerConfig, worker: RunningWorker): string {
  return `A worker of the mini platform control plane is running.

  health    http://${formatAddress(worker.healthAddress)}
  internal  ${config.internalTls ? "https" : "http"}://${formatAddress(worker.internalAddress)}
  data      ${config.dataDir}
  engine    temporal at ${config.temporal.target.address}
  cluster   ${clusterNames(config.clusters)}
`;
}

const TASKS = { task: "deno task worker", permitted: "deno task worker:cluster" };

async function start(config: WorkerConfig): Promise<RunningWorker> {
  await assertPermitted(config, TASKS);
  return await startWorker(config, (tools) => startTemporalEngine(tools, config.temporal));
}

process.exitCode = await runProcess({
  readConfig: readWorkerConfig,
  start,
  welcome,
  goodbye: "Stopping: running steps are returned, other workers continue the operations",
}, process.argv.slice(2));
