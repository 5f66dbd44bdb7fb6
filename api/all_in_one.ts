import { join } from "node:path";
import { connectBy } from "@mpc/client";
import { Platform } from "@mpc/platform";
import {
  type Components,
  DEFAULT_NAMESPACE,
  systemClock,
  type TemporalAddress,
  VERSION,
} from "@mpc/process";
import type { Store } from "@mpc/storage";
import { createDashboard } from "@mpc/ui";
import { EmbeddedEngine, type HostedEngine, problemsOf, type StepTools } from "@mpc/worker";
import type { AllInOneConfig } from "./config.ts";
import { eventJson } from "./mapping/event_json.ts";
import { type CallsFor, type Dashboard, type Doors, openDoors } from "./open_doors.ts";

/** For Temporal; the embedded engine has its own limit. */
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
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`, `ENGINE_IN_USE`, `NO_TEMPORAL`
 */
export async function startAllInOne(config: AllInOneConfig): Promise<AllInOne> {
  const { keepMs, auditKeepMs } = config;
  await using stack = new AsyncDisposableStack();
  const platform = stack.use(await Platform.open(config, { process: "dev", shared: false }));
  const { provider, planner } = await platform.openClusters(config);
  const lease = config.engine === "embedded" ? await platform.leaseEngine() : undefined;
  const engine = await platform.startEngine(provider, {
    name: config.engine,
    start: (tools) =>
      config.engine === "embedded"
        ? Promise.resolve(new EmbeddedEngine({ ...tools, ...(lease && { lease }) }))
        : startOnTemporal(config, tools, platform),
    takeOver: config.takeOver,
  });
  const access = await platform.openAccess(config.accessFile, provider);
  const deps = platform.deps({
    authorizer: access.authorizer,
    ...(access.limitsOf && { limitsOf: access.limitsOf }),
    accessProblem: access.problem,
    cluster: provider,
    planner,
    engine: engine.name,
    engineProblems: () => Promise.resolve(problemsOf(engine)),
    queuedStep: async (operation) => await engine.queued?.(operation),
  });
  const work = { deps, provider, engine, keepMs, auditKeepMs, alone: platform.exclusive };
  await platform.startWork({ ...work, ...(lease && { lease }) });
  await platform.startEventsOut(config.eventSinksFile, {
    toJson: eventJson,
    alone: platform.exclusive,
  });
  const info = {
    version: VERSION,
    engine: engine.name,
    storage: platform.storage,
    installation: platform.installation,
    provider: () => Promise.resolve(provider.name),
  };
  const { authenticate, signIn, tokens } = access;
  const audit = platform.openAudit(config.auditLog);
  const calls = { authenticate, signIn, tokens, audit, ...platform.telemetry() };
  const dashboard = (callsFor: CallsFor) => openDashboard(callsFor, config.tls !== null);
  const settings = { ...config, ...calls, dashboard };
  const doors = await openDoors(platform.components, deps, info, settings);
  const running = stack.move();
  return { ...doors, store: platform.store, close: () => running.disposeAsync() };
}

/** The dashboard on the web door; its calls do not leave the process. */
function openDashboard(callsFor: CallsFor, secure: boolean): Dashboard {
  return createDashboard<Parameters<CallsFor>[0]>({
    connectAs: ({ token }, client) =>
      connectBy(callsFor(client), { credentials: () => Promise.resolve(token) }),
    now: () => systemClock.now(),
    secure,
  });
}

/** Starts the engine on Temporal, and a Temporal if none is configured. */
async function startOnTemporal(
  { dataDir, temporal }: AllInOneConfig,
  tools: StepTools,
  { components }: Platform,
): Promise<HostedEngine> {
  const { BUNDLE_PATH, startTemporalEngine } = await import("@mpc/worker/temporal");
  const { freshWorkflowBundle } = await import("./dev_temporal.ts");
  const target = temporal.target ?? await startTemporal(dataDir, components);
  await freshWorkflowBundle(BUNDLE_PATH);
  return await startTemporalEngine(tools, {
    ...temporal,
    target,
    concurrency: STEPS_AT_ONCE,
    bundlePath: BUNDLE_PATH,
    version: null,
    ephemeral: dataDir === null && temporal.target !== null,
  });
}

/** Starts a Temporal that ends with this process. */
async function startTemporal(
  dataDir: string | null,
  components: Components,
): Promise<TemporalAddress> {
  const { startDevTemporal } = await import("./dev_temporal.ts");
  const server = await startDevTemporal(dataDir && join(dataDir, "temporal.db"));
  components.add({ name: "temporal", close: () => server.stop() });
  return { address: server.address, namespace: DEFAULT_NAMESPACE, tls: null, apiKey: null };
}
