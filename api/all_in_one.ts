import { join } from "node:path";
import { makeDataDir, systemClock, systemIds, VERSION } from "@mpc/process";
import { assertEngines, type ServiceDeps } from "@mpc/services";
import { createPlanner } from "@mpc/services/operations";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { Dispatcher, DriftWatch, EmbeddedEngine, Expiry, Janitor, openProvider } from "@mpc/worker";
import type { AllInOneConfig } from "./config.ts";
import { type Doors, openDoors } from "./open_doors.ts";

const JANITOR_INTERVAL_MS = 30_000;

/** A running platform. */
export interface AllInOne extends Doors {
  readonly store: Store;
  /** Finishes running calls, stops work where it is, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Starts everything in one process: store, engine, clusters, both doors.
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`
 */
export async function startAllInOne(config: AllInOneConfig): Promise<AllInOne> {
  const clock = systemClock;
  const ids = systemIds;
  await using stack = new AsyncDisposableStack();
  const store = await openStore(config.dataDir);
  stack.defer(() => store.close());
  const provider = await openProvider(config, { store, clock });
  stack.defer(() => provider.close());
  const engine = new EmbeddedEngine({ store, provider, clock, ids });
  stack.defer(() => engine.close());
  await assertEngines(store, [engine.name]);
  const deps: ServiceDeps = {
    store,
    clock,
    ids,
    cluster: provider,
    planner: createPlanner(store, provider),
    engine: engine.name,
  };
  const dispatcher = new Dispatcher({ store, engine, clock });
  await dispatcher.start();
  stack.defer(() => dispatcher.close());
  const janitor = new Janitor({
    store,
    engine,
    provider,
    clock,
    intervalMs: JANITOR_INTERVAL_MS,
  });
  // Nobody can be admitting before the doors open: what is not admitted was cut off.
  await janitor.pass(0);
  janitor.start();
  stack.defer(() => janitor.close());
  const drift = new DriftWatch({ store, provider, clock });
  drift.start();
  stack.defer(() => drift.close());
  const expiry = new Expiry(deps);
  await expiry.start();
  stack.defer(() => expiry.close());
  const info = {
    version: VERSION,
    engine: engine.name,
    storage: config.dataDir === null ? "memory" : "sqlite",
    provider: () => Promise.resolve(provider.name),
  };
  const doors = await openDoors(deps, info, config);
  stack.defer(() => doors.close());
  const running = stack.move();
  return { ...doors, store, close: () => running.disposeAsync() };
}

async function openStore(dataDir: string | null): Promise<Store> {
  if (dataDir === null) return openMemoryStore();
  await makeDataDir(dataDir);
  return openSqliteStore({ path: join(dataDir, "mpc.db") });
}
