import { eventJson } from "@mpc/api/event_json";
import { Platform } from "@mpc/platform";
import { allowEverything } from "@mpc/services";
import { type Address, CertificateFiles, isLoopback } from "@mpc/process";
import { getLogger } from "@logtape/logtape";
import type { WorkerConfig } from "./config.ts";
import type { HostedEngine } from "./engine/hosted_engine.ts";
import type { StepTools } from "./engine/try_step.ts";
import { serveInternal } from "./internal/serve_internal.ts";
import { serveHealth } from "./serve_health.ts";

const log = getLogger(["mpc", "internal"]);

/** A running worker. */
export interface RunningWorker {
  readonly healthAddress: Address;
  readonly internalAddress: Address;
  /** Accepts no new steps, lets running steps finish or returns them, and closes everything. */
  close(): Promise<void>;
}

/** The engine of workers; operations that the API admits are for it. */
const ENGINE = "temporal";

/**
 * Starts a worker: it executes operations that the API admits, settles what crashes leave, deletes
 * expired environments, and answers the API's reads of the cluster. Any number of workers may share
 * one store.
 * @param startEngine starts an engine that shares its work with other workers
 * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE`,
 *   `STORE_TOO_NEW`, `PORT_IN_USE`, `NO_ENGINE`
 */
export async function startWorker(
  config: WorkerConfig,
  startEngine: (tools: StepTools) => Promise<HostedEngine>,
): Promise<RunningWorker> {
  const { keepMs, auditKeepMs } = config;
  await using stack = new AsyncDisposableStack();
  const platform = stack.use(await Platform.open(config, { process: "worker", shared: true }));
  const { components } = platform;
  const { provider, planner } = await platform.openClusters(config);
  const { takeOver } = config;
  const engine = await platform.startEngine(provider, {
    name: ENGINE,
    start: startEngine,
    takeOver,
  });
  const { traceCalls, metrics } = platform.telemetry();
  const sources = { cluster: provider, planner, engine };
  const certificates = config.internalTls && new CertificateFiles(config.internalTls);
  if (certificates) {
    components.add({
      name: "internal tls",
      assertReady: () => certificates.assertReady(),
      close: () => Promise.resolve(certificates.close()),
    });
  } else if (!isLoopback(config.internalListen)) {
    log.warn("Other machines can reach the internal service without TLS, as --insecure says");
  }
  const internal = await serveInternal(sources, config.internalListen, {
    ...certificates && { certificates: () => certificates.current },
    traceCalls,
  });
  components.add({ name: "internal", close: () => internal.close() });
  const deps = platform.deps({
    // The worker acts for itself alone: the API has decided what callers may do.
    authorizer: allowEverything,
    cluster: provider,
    planner,
    engine: engine.name,
  });
  await platform.startWork({ deps, provider, engine, keepMs, auditKeepMs, alone: false });
  await platform.startEventsOut(config.eventSinksFile, { toJson: eventJson, alone: false });
  const health = serveHealth(
    { components, metrics, publicMetrics: config.publicMetrics },
    config.healthListen,
  );
  components.add({ name: "health", close: () => health.close() });
  const running = stack.move();
  return {
    healthAddress: health.address,
    internalAddress: internal.address,
    close: () => running.disposeAsync(),
  };
}
