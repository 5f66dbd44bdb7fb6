import { Platform } from "@mpc/platform";
import { VERSION } from "@mpc/process";
import { WorkerCluster } from "./cluster/worker_cluster.ts";
import { WorkerTls } from "./cluster/worker_tls.ts";
import type { ApiConfig } from "./config.ts";
import { type Doors, openDoors } from "./open_doors.ts";

/** The engine of workers that run as separate processes. */
const ENGINE = "temporal";

/** The running API. */
export interface Api extends Doors {
  close(): Promise<void>;
}

/**
 * Starts the API alone: it admits operations and reads the store, and asks workers about clusters.
 * It has no engine and no credentials of a cluster.
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`
 */
export async function startApi(config: ApiConfig): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  const platform = stack.use(await Platform.open(config, { process: "api", shared: true }));
  const tls = config.workerTls && await WorkerTls.open(config.workerTls);
  if (tls) {
    platform.components.add({
      name: "worker tls",
      assertReady: () => tls.assertReady(),
      close: () => tls.close(),
    });
  }
  const workers = new WorkerCluster(config.workers, {
    fetch: tls?.fetch,
    interceptors: platform.outgoing(),
  });
  const access = await platform.openAccess(config.accessFile, workers);
  const deps = platform.deps({
    authorizer: access.authorizer,
    ...(access.limitsOf && { limitsOf: access.limitsOf }),
    accessProblem: access.problem,
    cluster: workers,
    planner: workers,
    engine: ENGINE,
    engineProblems: (signal) => workers.engineProblems(signal),
    queuedStep: (operation, signal) => workers.queuedStep(operation, signal),
  });
  const info = {
    version: VERSION,
    engine: ENGINE,
    storage: platform.storage,
    installation: platform.installation,
    provider: () => workers.provider(),
  };
  const { authenticate, signIn, tokens } = access;
  const audit = platform.openAudit(config.auditLog);
  const calls = { authenticate, signIn, tokens, audit, ...platform.telemetry() };
  const doors = await openDoors(platform.components, deps, info, { ...config, ...calls });
  const running = stack.move();
  return { ...doors, close: () => running.disposeAsync() };
}
