import assert from "node:assert/strict";
import { INSTALLATION, isTerminal, type Operation } from "@mpc/domain";
import { systemClock, systemIds } from "@mpc/process";
import {
  allowEverything,
  type Caller,
  createEnvironment,
  deployWorkload,
  type ServiceDeps,
} from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { Dispatcher, type HostedEngine, Janitor, problemsOf } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { startTemporalEngine, type TemporalConfig } from "@mpc/worker/temporal";
import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import type { StepActivitiesOptions } from "../../worker/engine/temporal/step_activities.ts";
import { workflowIdOf } from "../../worker/engine/temporal/workflow_id.ts";
import { aCaller } from "../fakes/a_caller.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";

/** The control plane of worlds whose store does not name another one. */
export const TEST_INSTALLATION = {
  name: INSTALLATION,
  id: "00000000-0000-4000-8000-000000000000",
} as const;

export interface WorldOptions {
  readonly store?: Store;
  /** A cluster that several worlds share. */
  readonly provider?: SimulatedProvider;
  readonly definitions?: NonNullable<StepActivitiesOptions["definitions"]>;
  readonly config?: Partial<TemporalConfig>;
}

/** One worker's part of the platform, in real time, with a real Temporal server. */
export class TemporalWorld implements AsyncDisposable {
  readonly caller: Caller = aCaller();
  readonly deps: ServiceDeps;
  readonly store: Store;
  readonly engine: HostedEngine;
  readonly #provider: SimulatedProvider;
  readonly #ownsProvider: boolean;
  readonly #dispatcher: Dispatcher;

  private constructor(
    store: Store,
    provider: SimulatedProvider,
    engine: HostedEngine,
    ownsProvider: boolean,
  ) {
    this.#ownsProvider = ownsProvider;
    this.store = store;
    this.engine = engine;
    this.#provider = provider;
    this.#dispatcher = new Dispatcher({ store, engine, clock: systemClock });
    this.deps = {
      ...depsOf(store, provider),
      engineProblems: () => Promise.resolve(problemsOf(engine)),
    };
  }

  /** @param address of Temporal, `host:port` */
  static async start(address: string, options: WorldOptions = {}): Promise<TemporalWorld> {
    const { store = openMemoryStore(), provider = simulated(), definitions, config } = options;
    const clock = systemClock;
    if (!await store.installations.get(INSTALLATION)) {
      await store.installations.create({ ...TEST_INSTALLATION, createTime: clock.now() });
    }
    const engine = await startTemporalEngine(
      { store, provider, clock, ids: systemIds, ...(definitions && { definitions }) },
      {
        target: { address, namespace: "default", tls: null, apiKey: null },
        taskQueue: "mpc",
        concurrency: 100,
        bundlePath: await workflowBundle(),
        payloadKey: null,
        version: null,
        ephemeral: false,
        ...config,
      },
    );
    const world = new TemporalWorld(store, provider, engine, !options.provider);
    await world.#dispatcher.start();
    return world;
  }

  /** A pass of the janitor. */
  async janitor(): Promise<void> {
    const { store, engine } = this;
    await new Janitor({
      store,
      engine,
      provider: this.#provider,
      clock: systemClock,
      signal: this.caller.signal,
    }).pass();
  }

  /** Requests an environment. @returns the operation's name */
  async create(environmentId = "dev", traceparent: string | null = null): Promise<string> {
    const caller = { ...this.caller, traceparent };
    const { operation } = await createEnvironment(this.deps, caller, {
      environmentId,
      environment: {},
    });
    return operation!.value.name;
  }

  /**
   * Requests a workload with a secret in its environment variables. @returns the operation's name
   */
  async deploy(secret: string): Promise<string> {
    const spec = { image: "nginx:1", replicas: 1, env: { KEY: secret } };
    const { operation } = await deployWorkload(this.deps, this.caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec },
      etag: "",
      timeoutMs: null,
    });
    return operation!.value.name;
  }

  /** The operation, as soon as its record satisfies the predicate. */
  async until(name: string, is: (operation: Operation) => boolean): Promise<Operation> {
    const late = AbortSignal.timeout(120_000);
    for await (const { resource } of this.store.events.tail(0, late)) {
      if (resource?.value.name !== name) continue;
      const operation = (await this.store.operations.get(name))!.value;
      if (is(operation)) return operation;
    }
    const operation = (await this.store.operations.get(name))?.value;
    assert.fail(`'${name}' does not get that far: ${JSON.stringify(operation)}`);
  }

  /** The operation, when it has ended. */
  ended(name: string): Promise<Operation> {
    return this.until(name, ({ state }) => isTerminal(state));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.close();
    await this.engine.close();
    if (this.#ownsProvider) await this.#provider.close();
  }
}

/** The dependencies of use cases, with operations that run on Temporal. */
export function depsOf(store: Store, provider: SimulatedProvider): ServiceDeps {
  return {
    store,
    clock: systemClock,
    ids: systemIds,
    cluster: provider,
    planner: createPlanner(store, provider),
    authorizer: allowEverything,
    engine: "temporal",
  };
}

/** A cluster without delays. */
export const simulated = () =>
  new SimulatedProvider({ clock: systemClock, delays: NO_DELAYS, statePath: null });

/** Temporal as its operators see it. */
export async function withClient<T>(
  address: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await NativeConnection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** The workflow of an operation. */
export const workflowOf = (client: Client, operation: string) =>
  client.workflow.getHandle(workflowIdOf(TEST_INSTALLATION.id, operation));

/** Everything in bytes that a history holds, as text. */
export function payloadsOf(value: unknown): readonly string[] {
  if (value instanceof Uint8Array) return [new TextDecoder().decode(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(payloadsOf);
}
