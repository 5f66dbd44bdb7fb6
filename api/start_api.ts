import { allowEverything } from "@mpc/services";
import { resolve } from "node:path";
import { makeDataDir, systemClock, systemIds, VERSION } from "@mpc/process";
import { openStore } from "@mpc/storage/open_store";
import { WorkerCluster } from "./cluster/worker_cluster.ts";
import type { ApiConfig } from "./config.ts";
import { type Doors, openDoors } from "./open_doors.ts";

/** The engine of workers that are processes of their own. */
const ENGINE = "temporal";

/** The running API. */
export type Api = Doors;

/**
 * Starts the API alone: it admits and answers from the store, and asks workers what only a cluster
 * knows. It has no engine and no credentials of a cluster.
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`
 */
export async function startApi(config: ApiConfig): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  await makeDataDir(config.dataDir);
  const store = await openStore(`sqlite:${resolve(config.dataDir, "mpc.db")}`, { shared: true });
  stack.defer(() => store.close());
  const workers = new WorkerCluster(config.workers);
  const deps = {
    store,
    clock: systemClock,
    ids: systemIds,
    cluster: workers,
    planner: workers,
    authorizer: allowEverything,
    engine: ENGINE,
  };
  const info = {
    version: VERSION,
    engine: ENGINE,
    storage: "sqlite",
    provider: () => workers.provider(),
  };
  const doors = await openDoors(deps, info, config);
  stack.defer(() => doors.close());
  const running = stack.move();
  return { ...doors, close: () => running.disposeAsync() };
}
