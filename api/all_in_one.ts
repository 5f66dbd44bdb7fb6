import { join, resolve } from "node:path";
import { makeDataDir, systemClock, systemIds, VERSION } from "@mpc/process";
import { allowEverything, assertEngines, type ServiceDeps } from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openStore } from "@mpc/storage/open_store";
import {
  Dispatcher,
  EmbeddedEngine,
  type HostedEngine,
  openProvider,
  startHousekeeping,
  type StepTools,
} from "@mpc/worker";
import type { AllInOneConfig } from "./config.ts";
import { type Doors, openDoors } from "./open_doors.ts";

/** On Temporal; the embedded engine runs what there is. */
const STEPS_AT_ONCE = 100;

/** A running platform. */
export interface AllInOne extends Doors {
  readonly store: Store;
  /** Finishes running calls, stops work where it is, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Starts everything in one process: store, engine, clusters, both doors.
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`, `NO_TEMPORAL`
 */
export async function startAllInOne(config: AllInOneConfig): Promise<AllInOne> {
  const clock = systemClock;
  const ids = systemIds;
  await using stack = new AsyncDisposableStack();
  if (config.dataDir !== null) await makeDataDir(config.dataDir);
  const store = await openStore(
    config.dataDir === null ? "memory:" : `sqlite:${resolve(config.dataDir, "mpc.db")}`,
  );
  stack.defer(() => store.close());
  const provider = await openProvider(config, { store, clock });
  stack.defer(() => provider.close());
  const engine = await startEngine(config, { store, provider, clock, ids }, stack);
  await assertEngines(store, [engine.name]);
  const deps: ServiceDeps = {
    store,
    clock,
    ids,
    cluster: provider,
    planner: createPlanner(store, provider),
    authorizer: allowEverything,
    engine: engine.name,
  };
  const dispatcher = new Dispatcher({ store, engine, clock });
  await dispatcher.start();
  stack.defer(() => dispatcher.close());
  stack.use(
    await startHousekeeping({
      deps,
      provider,
      engine,
      keepMs: config.keepMs,
      alone: true,
    }),
  );
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

/** Begins to work; what it needs is let go of with the stack. */
async function startEngine(
  { engine: name, dataDir, temporalAddress }: AllInOneConfig,
  tools: StepTools,
  stack: AsyncDisposableStack,
): Promise<Omit<HostedEngine, "problem">> {
  if (name === "embedded") {
    const engine = new EmbeddedEngine(tools);
    stack.defer(() => engine.close());
    return engine;
  }
  const { BUNDLE_PATH, startTemporalEngine } = await import("@mpc/worker/temporal");
  const { freshWorkflowBundle, startDevTemporal } = await import("./dev_temporal.ts");
  await freshWorkflowBundle(BUNDLE_PATH);
  let address = temporalAddress;
  if (address === null) {
    const server = await startDevTemporal(dataDir && join(dataDir, "temporal.db"));
    stack.defer(() => server.stop());
    address = server.address;
  }
  const engine = await startTemporalEngine(tools, {
    target: { address, namespace: "default", tls: null, apiKey: null },
    taskQueue: "mpc",
    concurrency: STEPS_AT_ONCE,
    bundlePath: BUNDLE_PATH,
    payloadKey: null,
    version: null,
  });
  stack.defer(() => engine.close());
  return engine;
}
