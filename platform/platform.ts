/**
 * The only place where a platform is put together: which store, clock, ids, clusters, planner,
 * authorizer and engine a process has, and what decorates them. `dev`, `api` and `worker` call the
 * methods that they need, in this order.
 */
import {
  Components,
  type DataSettings,
  makeDataDir,
  type ProviderSettings,
  systemClock,
  systemIds,
} from "@mpc/process";
import {
  allowEverything,
  assertEngines,
  type Clock,
  type ClusterReader,
  type Ids,
  type Planner,
  type Provider,
  type ServiceDeps,
} from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openStore } from "@mpc/storage/open_store";
import type { HostedEngine, StepTools } from "@mpc/worker";
import { openInstallation } from "./open_installation.ts";

/** The parts of one process, added step by step; closed together with its components. */
export class Platform implements AsyncDisposable {
  readonly components: Components;
  readonly store: Store;
  /** The kind of store, as its address begins: `sqlite`. */
  readonly storage: string;
  /** The id of this control plane, the same in all its processes. */
  readonly installation: string;
  readonly clock: Clock = systemClock;
  readonly ids: Ids = systemIds;
  readonly #dataDir: string | null;

  private constructor(
    components: Components,
    parts: {
      readonly store: Store;
      readonly storage: string;
      readonly installation: string;
      readonly dataDir: string | null;
    },
  ) {
    this.components = components;
    this.store = parts.store;
    this.storage = parts.storage;
    this.installation = parts.installation;
    this.#dataDir = parts.dataDir;
  }

  /**
   * Opens the store of a process; the other parts are added to it.
   * @param options whether other processes of this machine use the same store
   * @throws {MpcError} FAILED_PRECONDITION, for instance `STORE_IN_USE`, `STORE_NOT_WRITABLE` or
   *   `STORE_TOO_NEW`
   */
  static async open(
    { store: address, dataDir }: DataSettings,
    options: { readonly shared: boolean },
  ): Promise<Platform> {
    if (dataDir !== null) await makeDataDir(dataDir);
    const store = await openStore(address, options);
    const storage = address.slice(0, address.indexOf(":"));
    const components = new Components();
    components.add({
      name: "store",
      async assertReady(signal) {
        await store.events.head({ signal });
      },
      close: () => store.close(),
    });
    try {
      const installation = await openInstallation(store, { clock: systemClock, ids: systemIds });
      return new Platform(components, { store, storage, installation, dataDir });
    } catch (error) {
      await components[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Opens the clusters of this process, or a simulated one if none is configured.
   * @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE`, `KUBECONFIG_UNUSABLE`
   */
  async openClusters(
    settings: ProviderSettings,
  ): Promise<{ readonly provider: Provider; readonly planner: Planner }> {
    const { store, clock, installation } = this;
    const [{ openProvider }, { createPlanner }] = await Promise.all([
      import("@mpc/worker"),
      import("@mpc/services/sagas"),
    ]);
    const provider = await openProvider({ ...settings, dataDir: this.#dataDir }, {
      store,
      clock,
      installation,
    });
    // In `/readyz`, `cluster` comes after the engine, because it depends on other machines.
    this.components.add({ name: "clusters", close: () => provider.close() });
    return { provider, planner: createPlanner(store, provider) };
  }

  /**
   * Starts the engine that executes operations in this process.
   * @throws {MpcError} FAILED_PRECONDITION `NO_ENGINE`: unfinished operations need another engine
   */
  async startEngine(
    provider: Provider,
    start: (tools: StepTools) => Promise<HostedEngine>,
  ): Promise<HostedEngine> {
    const { store, clock, ids } = this;
    const engine = await start({ store, provider, clock, ids });
    this.components.add({
      name: "engine",
      assertReady: () => engine.problem ? Promise.reject(engine.problem) : Promise.resolve(),
      close: () => engine.close(),
    });
    this.components.add({
      name: "cluster",
      assertReady: (signal) => provider.assertReachable({ signal }),
    });
    await assertEngines(store, [engine.name]);
    return engine;
  }

  /** The dependencies of use cases. Ports are decorated here, and nowhere else. */
  deps(parts: {
    readonly cluster: ClusterReader;
    readonly planner: Planner;
    /** Name of the engine that executes the admitted operations. */
    readonly engine: string;
  }): ServiceDeps {
    const { store, clock, ids } = this;
    return { store, clock, ids, authorizer: allowEverything, ...parts };
  }

  /** Starts the dispatcher and the periodic passes. */
  async startWork(options: {
    readonly deps: ServiceDeps;
    readonly provider: Provider;
    readonly engine: HostedEngine;
    /** How long history is kept, in milliseconds; null to keep all of it. */
    readonly keepMs: number | null;
    /** No other process admits operations, so every unadmitted one was interrupted. */
    readonly alone: boolean;
  }): Promise<void> {
    const { store, clock, components } = this;
    const { Dispatcher, startHousekeeping } = await import("@mpc/worker");
    const dispatcher = new Dispatcher({ store, engine: options.engine, clock });
    await dispatcher.start();
    components.add({ name: "dispatcher", close: () => dispatcher.close() });
    const housekeeping = await startHousekeeping(options);
    components.add({
      name: "housekeeping",
      async close() {
        await housekeeping[Symbol.asyncDispose]();
      },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.components[Symbol.asyncDispose]();
  }
}
