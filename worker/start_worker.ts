import { resolve } from "node:path";
import { type Address, makeDataDir, systemClock, systemIds } from "@mpc/process";
import { allowEverything, assertEngines, type Provider, type ServiceDeps } from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openStore } from "@mpc/storage/open_store";
import type { WorkerConfig } from "./config.ts";
import type { HostedEngine } from "./engine/hosted_engine.ts";
import type { StepTools } from "./engine/try_step.ts";
import { Dispatcher } from "./engine/dispatcher.ts";
import { serveInternal } from "./internal/serve_internal.ts";
import { openProvider } from "./providers/open_provider.ts";
import { startHousekeeping } from "./housekeeping/start_housekeeping.ts";
import { type Check, serveHealth } from "./serve_health.ts";

/** A running worker. */
export interface RunningWorker {
  readonly healthAddress: Address;
  readonly internalAddress: Address;
  /** Takes nothing new, lets running steps finish or hands them on, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Starts a worker: it carries out what the API admits, settles what crashes leave, deletes what
 * expires, and answers the API's reads of the cluster. Any number may run on one store.
 * @param startEngine starts the engine, one that shares its work with other workers
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`
 */
export async function startWorker(
  config: WorkerConfig,
  startEngine: (tools: StepTools) => Promise<HostedEngine>,
): Promise<RunningWorker> {
  const [clock, ids] = [systemClock, systemIds];
  await using stack = new AsyncDisposableStack();
  await makeDataDir(config.dataDir);
  const store = await openStore(`sqlite:${resolve(config.dataDir, "mpc.db")}`, { shared: true });
  stack.defer(() => store.close());
  const provider = await openProvider(config, { store, clock });
  stack.defer(() => provider.close());
  const planner = createPlanner(store, provider);
  const internal = serveInternal({ cluster: provider, planner }, config.internalListen);
  stack.defer(() => internal.close());
  const engine = await startEngine({ store, provider, clock, ids });
  stack.defer(() => engine.close());
  await assertEngines(store, [engine.name]);
  const dispatcher = new Dispatcher({ store, engine, clock });
  await dispatcher.start();
  stack.defer(() => dispatcher.close());
  const deps: ServiceDeps = {
    store,
    clock,
    ids,
    cluster: provider,
    planner,
    authorizer: allowEverything,
    engine: engine.name,
  };
  stack.use(
    await startHousekeeping({
      deps,
      provider,
      engine,
      keepMs: config.keepMs,
      alone: false,
    }),
  );
  const health = serveHealth(checks({ store, provider, engine }), config.healthListen);
  stack.defer(() => health.close());
  const running = stack.move();
  return {
    healthAddress: health.address,
    internalAddress: internal.address,
    close: () => running.disposeAsync(),
  };
}

function checks(
  { store, provider, engine }: { store: Store; provider: Provider; engine: HostedEngine },
): readonly Check[] {
  return [
    {
      name: "store",
      async assertReady(signal) {
        await store.events.head({ signal });
      },
    },
    {
      name: "engine",
      assertReady() {
        return engine.problem ? Promise.reject(engine.problem) : Promise.resolve();
      },
    },
    {
      name: "cluster",
      assertReady: (signal) => provider.assertReachable({ signal }),
    },
  ];
}
