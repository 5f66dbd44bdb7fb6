import { join } from "node:path";
import { Platform } from "@mpc/platform";
import { VERSION } from "@mpc/process";
import type { Store } from "@mpc/storage";
import { EmbeddedEngine, type HostedEngine, type StepTools } from "@mpc/worker";
import type { AllInOneConfig } from "./config.ts";
import { type Doors, openDoors } from "./open_doors.ts";

/** For Temporal; the embedded engine has no limit. */
const STEPS_AT_ONCE = 100;

/** A running platform. */
export interface AllInOne extends Doors {
  readonly store: Store;
  /** Lets running calls finish, interrupts operations, and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts everything in one process: store, engine, clusters, both doors.
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`, `NO_TEMPORAL`
 */
export async function startAllInOne(config: AllInOneConfig): Promise<AllInOne> {
  const { dataDir, keepMs } = config;
  await using stack = new AsyncDisposableStack();
  const platform = stack.use(await Platform.open({ dataDir, shared: false }));
  const { provider, planner } = await platform.openClusters(config);
  const engine = await platform.startEngine(
    provider,
    (tools) => startEngine(config, tools, platform),
  );
  const deps = platform.deps({ cluster: provider, planner, engine: engine.name });
  await platform.startWork({ deps, provider, engine, keepMs, alone: true });
  const info = {
    version: VERSION,
    engine: engine.name,
    storage: dataDir === null ? "memory" : "sqlite",
    installation: platform.installation,
    provider: () => Promise.resolve(provider.name),
  };
  const doors = await openDoors(platform.components, deps, info, config);
  const running = stack.move();
  return { ...doors, store: platform.store, close: () => running.disposeAsync() };
}

/** Starts the configured engine, and Temporal if it needs that. */
async function startEngine(
  { engine: name, dataDir, temporalAddress }: AllInOneConfig,
  tools: StepTools,
  { components }: Platform,
): Promise<HostedEngine> {
  if (name === "embedded") return new EmbeddedEngine(tools);
  const { BUNDLE_PATH, startTemporalEngine } = await import("@mpc/worker/temporal");
  const { freshWorkflowBundle, startDevTemporal } = await import("./dev_temporal.ts");
  let address = temporalAddress;
  if (address === null) {
    const server = await startDevTemporal(dataDir && join(dataDir, "temporal.db"));
    components.add({ name: "temporal", close: () => server.stop() });
    address = server.address;
  }
  await freshWorkflowBundle(BUNDLE_PATH);
  return await startTemporalEngine(tools, {
    target: { address, namespace: "default", tls: null, apiKey: null },
    taskQueue: "mpc",
    concurrency: STEPS_AT_ONCE,
    bundlePath: BUNDLE_PATH,
    payloadKey: null,
    version: null,
  });
}
