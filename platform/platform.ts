/**
 * The only place where a platform is put together: which store, clock, ids, clusters, planner,
 * authorizer and engine a process has, and what decorates them. `dev`, `api` and `worker` call the
 * methods that they need, in this order.
 */
import { type Access, openAccess } from "@mpc/access";
import { isMpcError, MpcError } from "@mpc/domain";
import type { Interceptor as OutgoingInterceptor } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import {
  type AuditLogSettings,
  type CallActivity,
  Components,
  type DataSettings,
  type Interceptor,
  isTracing,
  makeDataDir,
  openAuditLog,
  type ProviderSettings,
  systemClock,
  systemIds,
  VERSION,
} from "@mpc/process";
import {
  assertEngine,
  type Audit,
  AuditChain,
  auditedAuthorizer,
  auditedStore,
  type Authorizer,
  type Clock,
  type ClusterReader,
  type Ids,
  type LimitsOf,
  type Planner,
  type Provider,
  RefusalLog,
  rememberingAuthorizer,
  type ServiceDeps,
  takeOverOperations,
  type TokenReviewer,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { admitKeys, encryptedStore, KeyRing } from "@mpc/storage/encryption";
import { openStore } from "@mpc/storage/open_store";
import {
  callActivity,
  countAttempts,
  countAuthentications,
  countFindings,
  countRefusals,
  countRequests,
  countRetries,
  measureCalls,
  meteredStore,
  Metrics,
  metricsPage,
  observeSinks,
  traceCalls,
  tracedKubeClient,
  tracedProvider,
  tracedStore,
  traceOutgoing,
} from "@mpc/telemetry";
import type { EngineLease, EventJson, HostedEngine, StepTools } from "@mpc/worker";
import { openInstallation } from "./open_installation.ts";

const log = getLogger(["mpc", "audit"]);

/** The parts of one process, added step by step; closed together with its components. */
export class Platform implements AsyncDisposable {
  readonly components: Components;
  readonly store: Store;
  /** The kind of store, as its address begins: `sqlite`. */
  readonly storage: string;
  /** Whether no other process can use the store. */
  readonly exclusive: boolean;
  /** The id of this control plane, the same in all its processes. */
  readonly installation: string;
  readonly clock: Clock = systemClock;
  readonly ids: Ids = systemIds;
  readonly #metrics: Metrics;
  readonly #dataDir: string | null;
  #engine: HostedEngine | undefined;

  private constructor(
    components: Components,
    parts: {
      readonly store: Store;
      readonly storage: string;
      readonly exclusive: boolean;
      readonly installation: string;
      readonly metrics: Metrics;
      readonly dataDir: string | null;
    },
  ) {
    this.components = components;
    this.store = parts.store;
    this.storage = parts.storage;
    this.exclusive = parts.exclusive;
    this.installation = parts.installation;
    this.#metrics = parts.metrics;
    this.#dataDir = parts.dataDir;
  }

  /**
   * Opens the store of a process; the other parts are added to it.
   * @param options its name in figures, and whether other processes of this machine use the store
   * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE` or
   *   `STORE_TOO_NEW`, `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG`; UNAVAILABLE
   *   `STORE_UNAVAILABLE`; INVALID_ARGUMENT `ENCRYPTION_KEY_INVALID`
   */
  static async open(
    { store: address, dataDir, encryptionKeys }: DataSettings,
    options: { readonly process: "dev" | "api" | "worker"; readonly shared: boolean },
  ): Promise<Platform> {
    const keys = encryptionKeys === null ? null : await KeyRing.parse(encryptionKeys);
    if (dataDir !== null) await makeDataDir(dataDir);
    const metrics = new Metrics({ version: VERSION, process: options.process });
    const measured = meteredStore(await openStore(address, options), metrics);
    const [storage = ""] = address.split(/[:+]/, 1);
    const kind = storage.toLowerCase();
    const store = encryptedStore(isTracing() ? tracedStore(measured, kind) : measured, keys);
    const exclusive = !options.shared && kind !== "mongodb";
    const components = new Components();
    components.add({
      name: "metrics",
      close: () => Promise.resolve(metrics[Symbol.dispose]()),
    });
    components.add({
      name: "store",
      assertReady: (signal) => assertAnswers(store, signal),
      close: () => store.close(),
    });
    try {
      const installation = await openInstallation(store, { clock: systemClock, ids: systemIds });
      await admitKeys(store, keys);
      return new Platform(components, {
        store,
        storage,
        exclusive,
        installation,
        metrics,
        dataDir,
      });
    } catch (error) {
      await components[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Opens the access of callers.
   * @param file path of the access file; null to allow everything to one local user
   * @param reviewer asks clusters about the tokens of their service accounts
   * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`
   */
  async openAccess(file: string | null, reviewer: TokenReviewer): Promise<Access> {
    const access = await openAccess(file, { store: this.store, clock: this.clock, reviewer });
    this.components.add({
      name: "access",
      // What is in force still decides, so the process stays ready.
      assertReady: () => {
        const problem = access.problem();
        return Promise.resolve(problem ? oldFileInForce(problem) : undefined);
      },
      close: () => access.close(),
    });
    return { ...access, authenticate: countAuthentications(this.#metrics, access.authenticate) };
  }

  /**
   * Opens the clusters of this process, or a simulated one if none is configured.
   * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`, `KUBECONFIG_UNUSABLE`
   */
  async openClusters(
    settings: ProviderSettings,
  ): Promise<{ readonly provider: Provider; readonly planner: Planner }> {
    const { store, clock, ids, installation } = this;
    const [{ openProvider }, { createPlanner }] = await Promise.all([
      import("@mpc/worker"),
      import("@mpc/services/sagas"),
    ]);
    const provider = await openProvider({ ...settings, dataDir: this.#dataDir }, {
      store,
      clock,
      ids,
      installation,
      ...(isTracing() && { decorate: tracedKubeClient }),
      onRequest: countRequests(this.#metrics),
    });
    // In `/readyz`, `cluster` comes after the engine, because it depends on other machines.
    this.components.add({ name: "clusters", close: () => provider.close() });
    const traced = isTracing() ? tracedProvider(provider) : provider;
    return { provider: traced, planner: createPlanner(store, traced) };
  }

  /**
   * Makes this process the only one that runs operations on the embedded engine.
   * @returns nothing if no other process can use the store
   * @throws {MpcError} FAILED_PRECONDITION `ENGINE_IN_USE`
   */
  async leaseEngine(): Promise<EngineLease | undefined> {
    if (this.exclusive) return undefined;
    const { acquireEngineLease, engineInUse } = await import("@mpc/worker");
    const lease = await acquireEngineLease(this);
    this.components.add({
      name: "engine lease",
      assertReady: () =>
        lease.token === undefined ? Promise.reject(engineInUse()) : Promise.resolve(),
      close: () => lease[Symbol.asyncDispose](),
    });
    return lease;
  }

  /**
   * Starts the engine that executes operations in this process, unless it refuses what it finds.
   * @param options.name of the engine
   * @param options.takeOver whether it also continues what other engines have left unfinished
   * @throws {MpcError} FAILED_PRECONDITION `NO_ENGINE`: unfinished operations need another engine
   */
  async startEngine(
    provider: Provider,
    { name, start, takeOver }: {
      readonly name: string;
      readonly start: (tools: StepTools) => Promise<HostedEngine>;
      readonly takeOver: boolean;
    },
  ): Promise<HostedEngine> {
    const { store, clock, ids } = this;
    if (takeOver) await takeOverOperations({ store, clock }, name);
    else await assertEngine(store, name);
    const onAttempt = countAttempts(this.#metrics);
    const onRetry = countRetries(this.#metrics);
    const engine = await start({ store, provider, clock, ids, onAttempt, onRetry });
    this.#engine = engine;
    this.components.add({
      name: "engine",
      assertReady: () => engine.problem ? Promise.reject(engine.problem) : Promise.resolve(),
      close: () => engine.close(),
    });
    this.components.add({
      name: "cluster",
      assertReady: (signal) => provider.assertReachable({ signal }),
    });
    return engine;
  }

  /** What traces and measures calls, and answers `/metrics`. */
  telemetry(): {
    /** Of calls to this process; none if nothing exports spans. */
    readonly traceCalls: readonly Interceptor[];
    readonly measureCalls: Interceptor;
    readonly countRefusals: Interceptor;
    readonly activity: () => Promise<readonly CallActivity[]>;
    readonly metrics: (accept: string | null) => Promise<Response>;
  } {
    return {
      traceCalls: isTracing() ? [traceCalls] : [],
      measureCalls: measureCalls(this.#metrics),
      countRefusals: countRefusals(this.#metrics),
      activity: () => callActivity(this.#metrics),
      metrics: metricsPage(this.#metrics, {
        ...{ components: this.components, store: this.store, clock: this.clock },
        others: async () => await this.#engine?.metrics?.() ?? "",
      }),
    };
  }

  /** Interceptors of calls to other processes of the platform. */
  outgoing(): readonly OutgoingInterceptor[] {
    return isTracing() ? [traceOutgoing] : [];
  }

  /**
   * Opens the audit log of a process that takes calls.
   * @param sink where its records are also written to; null for the store alone
   */
  openAudit(sink: AuditLogSettings | null): Audit {
    const { store, clock, components } = this;
    const written = sink && openAuditLog(sink);
    const warn = (error: unknown) => log.warn("Cannot write the audit: {error}", { error });
    const trail = new AuditChain({
      store,
      clock,
      ...(written && { sink: written }),
      onMarkFailed: warn,
    });
    const refusals = new RefusalLog({ trail, clock, onFailed: warn });
    components.add({
      name: "audit",
      async close() {
        await refusals[Symbol.asyncDispose]();
        await trail[Symbol.asyncDispose]();
        await written?.[Symbol.asyncDispose]();
      },
    });
    return { trail, refusals };
  }

  /** The dependencies of use cases. Ports are decorated here, and nowhere else. */
  deps(parts: {
    readonly authorizer: Authorizer;
    readonly limitsOf?: LimitsOf;
    readonly accessProblem?: () => MpcError | null;
    readonly cluster: ClusterReader;
    readonly planner: Planner;
    /** Name of the engine that executes the admitted operations. */
    readonly engine: string;
    readonly engineProblems?: NonNullable<ServiceDeps["engineProblems"]>;
    readonly queuedStep?: NonNullable<ServiceDeps["queuedStep"]>;
  }): ServiceDeps {
    const { clock, ids } = this;
    const authorizer = auditedAuthorizer(rememberingAuthorizer(parts.authorizer));
    return { clock, ids, ...parts, store: auditedStore(this.store), authorizer };
  }

  /** Starts the dispatcher and the periodic passes. */
  async startWork(options: {
    readonly deps: ServiceDeps;
    readonly provider: Provider;
    readonly engine: HostedEngine;
    /** How long history is kept, in milliseconds; null to keep all of it. */
    readonly keepMs: number | null;
    /** The same of the audit. */
    readonly auditKeepMs: number | null;
    /** No other process admits operations, so every unadmitted one was interrupted. */
    readonly alone: boolean;
    /** Of the engine, if it has one. */
    readonly lease?: EngineLease;
  }): Promise<void> {
    const { store, clock, components } = this;
    const { Dispatcher, startHousekeeping } = await import("@mpc/worker");
    const dispatcher = new Dispatcher({ store, engine: options.engine, clock });
    await dispatcher.start();
    components.add({ name: "dispatcher", close: () => dispatcher.close() });
    const housekeeping = await startHousekeeping({
      ...options,
      observer: countFindings(this.#metrics),
    });
    const { engine } = options;
    components.add({
      name: "housekeeping",
      ...("periodicProblem" in engine && {
        assertReady: () =>
          engine.periodicProblem ? Promise.reject(engine.periodicProblem) : Promise.resolve(),
      }),
      async close() {
        await housekeeping[Symbol.asyncDispose]();
      },
    });
  }

  /**
   * Starts to deliver events to the sinks of a file.
   * @param file path of the file; null to send events nowhere
   * @throws {MpcError} INVALID_ARGUMENT `EVENT_SINKS_FILE_INVALID`
   */
  async startEventsOut(
    file: string | null,
    options: { readonly toJson: EventJson; readonly alone: boolean },
  ): Promise<void> {
    if (file === null) return;
    const { store, clock, ids, installation } = this;
    const { startEventsOut } = await import("@mpc/worker");
    const observer = observeSinks(this.#metrics);
    const parts = { store, clock, ids, installation, observer };
    const running = await startEventsOut({ file, ...parts, ...options });
    this.components.add({
      name: "events-out",
      close: async () => await running[Symbol.asyncDispose](),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.components[Symbol.asyncDispose]();
  }
}

const oldFileInForce = (problem: MpcError): string =>
  `the changed access file is not used, the old one stays in force: ${problem.message}`;

/** How long a store may take to answer; the readiness check itself waits a little longer. */
const ANSWER_MS = 1_500;

/** @throws {MpcError} the reason why a store cannot be used now, at the latest when it is late */
async function assertAnswers(store: Store, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(ANSWER_MS);
  try {
    const options = { signal: AbortSignal.any([signal, late]) };
    if (store.assertWritable) await store.assertWritable(options);
    else await store.events.head(options);
  } catch (error) {
    if (!late.aborted || !isMpcError(error, "CANCELLED")) throw error;
    if (isMpcError(error.cause)) throw error.cause;
    throw new MpcError("UNAVAILABLE", {
      reason: "STORE_UNAVAILABLE",
      message: `Cannot use the store: it does not answer within ${ANSWER_MS} ms`,
    });
  }
}
