/** A worker on Temporal: `deno task worker`. */
import process from "node:process";
import { clusterNames, formatAddress, runProcess } from "@mpc/process";
import { readWorkerConfig, type WorkerConfig } from "./config.ts";
import { startTemporalEngine } from "./engine/temporal/mod.ts";
import { type RunningWorker, startWorker } from "./start_worker.ts";

function welcome(config: WorkerConfig, worker: RunningWorker): string {
  return `A worker of the mini platform control plane is running.

  health    http://${formatAddress(worker.healthAddress)}
  internal  http://${formatAddress(worker.internalAddress)}
  data      ${config.dataDir}
  engine    temporal at ${config.temporal.target.address}
  cluster   ${clusterNames(config.clusters)}
`;
}

process.exitCode = await runProcess({
  readConfig: readWorkerConfig,
  start: (config) => startWorker(config, (tools) => startTemporalEngine(tools, config.temporal)),
  welcome,
  goodbye: "Stopping: running steps are returned, other workers continue the operations",
}, process.argv.slice(2));
