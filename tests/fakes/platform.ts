import assert from "node:assert/strict";
import { type Event, isTerminal, type Operation, type OperationKind } from "@mpc/domain";
import {
  allowEverything,
  type Caller,
  cancelOperation,
  diagnose,
  type Finding,
  type MutationResult,
  type Provider,
  type ServiceDeps,
} from "@mpc/services";
import { createPlanner, type Definition, DEFINITIONS } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { Dispatcher, Janitor } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { aCaller } from "./a_caller.ts";
import { embeddedEngine, type EngineUnderTest, type NewEngine } from "./engine_under_test.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { SeededIds } from "./seeded_ids.ts";
import { openTestStore } from "./test_store.ts";

export interface PlatformOptions {
  /** By default as `openTestStore`. */
  readonly store?: Store;
  readonly definitions?: Readonly<Record<OperationKind, Definition>>;
  readonly provider?: (bare: SimulatedProvider) => Provider;
  readonly seed?: number;
  readonly clock?: FakeClock;
  /** The embedded engine by default. */
  readonly engine?: NewEngine;
}

/** Counted, so that no two platforms have operations with the same name. */
let platforms = 0;

/** The longest time that a test may take, on the fake clock. */
const PATIENCE_MS = 3 * 3_600_000;

/** The platform without its doors, in one process, on the test's clock. */
export class Platform {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly cluster: SimulatedProvider;
  readonly provider: Provider;
  readonly deps: ServiceDeps;
  readonly caller: Caller = aCaller();
  definitions: Readonly<Record<OperationKind, Definition>>;
  readonly #ids: SeededIds;
  readonly #newEngine: NewEngine;
  #engine: EngineUnderTest;
  #dispatcher: Dispatcher;

  private constructor(options: PlatformOptions & { readonly store: Store }) {
    this.clock = options.clock ?? new FakeClock();
    this.store = options.store;
    this.#newEngine = options.engine ?? embeddedEngine;
    this.#ids = new SeededIds(options.seed, platforms++);
    this.cluster = new SimulatedProvider({ clock: this.clock, delays: NO_DELAYS, statePath: null });
    this.provider = options.provider?.(this.cluster) ?? this.cluster;
    this.definitions = options.definitions ?? DEFINITIONS;
    this.#engine = this.#startEngine();
    this.deps = {
      store: this.store,
      clock: this.clock,
      ids: this.#ids,
      cluster: this.provider,
      planner: createPlanner(this.store, this.provider),
      authorizer: allowEverything,
      engine: this.#engine.engine.name,
      queuedStep: async (operation) => await this.#engine.engine.queued?.(operation),
    };
    this.#dispatcher = this.#newDispatcher();
  }

  static async start(options: PlatformOptions = {}): Promise<Platform> {
    const platform = new Platform({ ...options, store: options.store ?? await openTestStore() });
    await platform.#dispatcher.start();
    return platform;
  }

  /** Stops the engine at once, like a killed process; nothing is finished. */
  async crash(): Promise<void> {
    await Promise.all([this.#dispatcher.close(), this.#engine.crash()]);
  }

  /**
   * Starts again on the state that the crash left, like the program: first a pass of the janitor.
   */
  async restart(): Promise<void> {
    this.#engine = this.#startEngine();
    this.#dispatcher = this.#newDispatcher();
    await this.#dispatcher.start();
    await this.janitor().pass(0);
  }

  janitor(): Janitor {
    const { store, clock, provider } = this;
    return new Janitor({
      store,
      clock,
      provider,
      engine: this.#engine.engine,
      signal: this.caller.signal,
    });
  }

  /** Tells the engine about a cancellation now, as the dispatcher would a moment later. */
  cancel(operation: string): Promise<void> {
    return this.#engine.engine.cancel(operation);
  }

  /** Requests a cancellation, as the API does for a caller. */
  async cancelAsCaller(name: string): Promise<void> {
    const { deps, caller } = this;
    await cancelOperation(deps, caller, { name, reason: "tested", validateOnly: false });
  }

  /** Advances time until nothing runs any more. */
  async settle(): Promise<void> {
    const end = this.clock.now() + PATIENCE_MS;
    for (await settle(); await this.#engine.waits(); await settle()) {
      const next = this.clock.nextWake;
      assert.ok(next !== undefined, "an operation waits for something that will never happen");
      assert.ok(next < end, "an operation does not end within three hours");
      await this.clock.advance(next - this.clock.now());
    }
  }

  /** Waits for an admitted operation to end. */
  async ended(result: MutationResult): Promise<Operation> {
    assert.ok(result.operation, "the change was admitted");
    await this.settle();
    return await this.operation(result.operation.value.name);
  }

  async operation(name: string): Promise<Operation> {
    const stored = await this.store.operations.get(name);
    assert.ok(stored, `operation '${name}' is there`);
    return stored.value;
  }

  /** The violations of invariants that `mpctl doctor` would report. */
  async findings(): Promise<readonly Finding[]> {
    return (await diagnose(this.deps, this.caller)).findings;
  }

  /**
   * Asserts what must hold whenever nothing runs.
   * @param allowed the findings that are not the platform's fault
   */
  async assertSound(allowed: (finding: Finding) => boolean = () => false): Promise<void> {
    const findings = (await this.findings()).filter((finding) => !allowed(finding));
    assert.deepEqual(findings, [], "the platform's invariants hold");
    const page = await this.store.operations.list({ limit: 1_000 });
    const live = page.items.filter(({ value }) => !isTerminal(value.state));
    assert.deepEqual(
      live.map(({ value }) => [value.name, value.state]),
      [],
      "every operation ended",
    );
  }

  /** All events so far, in order. */
  async events(): Promise<readonly Event[]> {
    return await this.store.events.read(0, 100_000);
  }

  async close(): Promise<void> {
    await this.crash();
    await this.#engine.close();
    await this.cluster.close();
    await this.store.close();
  }

  #startEngine(): EngineUnderTest {
    const { store, provider, clock, definitions } = this;
    return this.#newEngine({ store, provider, clock, ids: this.#ids, definitions });
  }

  #newDispatcher(): Dispatcher {
    return new Dispatcher({ store: this.store, engine: this.#engine.engine, clock: this.clock });
  }
}

/** Runs a test with its own platform. */
export async function withPlatform(
  use: (platform: Platform) => Promise<void>,
  options: PlatformOptions = {},
): Promise<void> {
  const platform = await Platform.start(options);
  try {
    await use(platform);
  } finally {
    await platform.close();
  }
}
