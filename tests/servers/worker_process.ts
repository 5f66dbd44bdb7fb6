import type { Subprocess } from "./subprocess.ts";
import { startTask } from "./task_process.ts";
import { workflowBundle } from "./workflow_bundle.ts";

/** A worker as a separate process. */
export interface WorkerProcess {
  readonly process: Subprocess;
  readonly health: URL;
  readonly internal: URL;
}

/**
 * Starts a worker on free ports; it may still be connecting to Temporal.
 * @param temporal `host:port`
 */
export async function startWorkerProcess(
  dataDir: string,
  temporal: string,
  args: readonly string[] = [],
): Promise<WorkerProcess> {
  return await workerAddressesOf(startTask("worker", dataDir, [
    `--workflow-bundle=${await workflowBundle()}`,
    `--temporal-address=${temporal}`,
    "--simulated-delays=none",
    "--health-listen=127.0.0.1:0",
    "--internal-listen=127.0.0.1:0",
    ...args,
  ]));
}

/** Waits until a worker prints its addresses. */
export async function workerAddressesOf(process: Subprocess): Promise<WorkerProcess> {
  const url = async (name: string) =>
    new URL(await process.line((line) => new RegExp(`^ *${name} +(http\\S+)$`).exec(line)?.[1]));
  return { process, health: await url("health"), internal: await url("internal") };
}
