import { EventEmitter, once } from "node:events";
import { isTerminal } from "@mpc/domain";
import type { Engine } from "@mpc/services";
import { DEFINITIONS, holdsResource } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { systemClock } from "@mpc/process";
import { StepActivities, TemporalEngine, TemporalHost } from "@mpc/worker/temporal";
import { ApplicationFailure } from "@temporalio/common";
import { workflowIdOf } from "../../worker/engine/temporal/workflow_id.ts";
import type { TemporalServer } from "../servers/temporal_server.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";
import type { EngineUnderTest, NewEngine } from "./engine_under_test.ts";
import { type FakeClock, settle } from "./fake_clock.ts";

const TASK_QUEUE = "mpc";

/** All platforms share one installation: the ids of their operations differ. */
const INSTALLATION_ID = "00000000-0000-4000-8000-000000000000";

/** The longest time that Temporal may take to advance an operation, in real time. */
const PATIENCE_MS = 30_000;

type Task = { readonly operation: string };
type Activity = (task: Task) => Promise<unknown>;

/**
 * Engines on one Temporal server and one worker, which runs the activities of many platforms: each
 * call finds its platform by the operation's name. Every platform has its own fake clock. Pauses
 * between attempts are slept on that clock, within the activity, and Temporal then retries at once.
 */
export class TemporalEngines {
  readonly #host: TemporalHost;
  readonly #platforms = new Map<Store, PlatformOnTemporal>();
  readonly #byOperation = new Map<string, PlatformOnTemporal>();

  private constructor(server: TemporalServer, bundlePath: string) {
    this.#host = new TemporalHost({
      target: { address: server.address, namespace: "default", tls: null, apiKey: null },
      taskQueue: TASK_QUEUE,
      installation: INSTALLATION_ID,
      bundlePath,
      clock: systemClock,
      activities: this.#functions(),
      worker: { maxConcurrentActivityTaskExecutions: 1_000 },
    });
  }

  static async start(server: TemporalServer): Promise<TemporalEngines> {
    const engines = new TemporalEngines(server, await workflowBundle());
    await engines.#host.start();
    if (engines.#host.problem) throw engines.#host.problem;
    return engines;
  }

  readonly newEngine: NewEngine = (options) => {
    const platform = this.#platforms.get(options.store) ??
      new PlatformOnTemporal(options.store, options.clock);
    this.#platforms.set(options.store, platform);
    const activities = new StepActivities({ ...options, installation: INSTALLATION_ID });
    const engine = new TemporalEngine({
      ...options,
      client: this.#host.client,
      taskQueue: TASK_QUEUE,
      installation: INSTALLATION_ID,
      eager: true,
      activities,
    });
    platform.begin(activities);
    return platform.under({
      name: engine.name,
      start: (operation) => {
        this.#byOperation.set(operation, platform);
        return platform.calling(() => engine.start(operation));
      },
      cancel: (operation) => platform.calling(() => engine.cancel(operation)),
      status: (operation) => platform.calling(() => engine.status(operation)),
      close: () => engine.close(),
    });
  };

  /** The workflow of an operation. */
  readonly workflowOf = (operation: string) =>
    this.#host.client().workflow.getHandle(workflowIdOf(INSTALLATION_ID, operation));

  async close(): Promise<void> {
    await this.#host.close();
  }

  #functions(): Record<string, Activity> {
    // Step names are the same in all definitions; only what steps do differs between platforms.
    const names = Object.keys(
      new StepActivities({ definitions: DEFINITIONS } as never).functions(),
    );
    return Object.fromEntries(names.map((name) => [name, (task: Task) => {
      const platform = this.#byOperation.get(task.operation);
      if (!platform) throw ApplicationFailure.nonRetryable("the platform of this test is gone");
      return platform.call(name, task);
    }]));
  }
}

/** The part of one platform that runs on the shared worker. */
class PlatformOnTemporal {
  readonly #store: Store;
  readonly #clock: FakeClock;
  readonly #changed = new EventEmitter();
  /** Counts the changes that were emitted. */
  #changes = 0;
  readonly #inFlight = new Map<string, number>();
  #calls = 0;
  #activities: StepActivities | undefined;
  #closed = false;

  constructor(store: Store, clock: FakeClock) {
    this.#store = store;
    this.#clock = clock;
  }

  begin(activities: StepActivities): void {
    this.#activities = activities;
    this.#emitChange();
  }

  /** Marks that a call to Temporal is not a wait for time to pass. */
  async calling<T>(call: () => Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      this.#emitChange();
    }
  }

  under(engine: Engine): EngineUnderTest {
    return {
      engine,
      waits: () => this.#waits(),
      crash: async () => {
        this.#activities?.stop();
        this.#activities = undefined;
        while (this.#inFlight.size > 0) await this.#change();
      },
      close: () => {
        this.#closed = true;
        this.#emitChange();
        return Promise.resolve();
      },
    };
  }

  /** Runs an activity; after a crash of its platform, only after the next start. */
  async call(name: string, task: Task): Promise<unknown> {
    while (!this.#activities && !this.#closed) await this.#change();
    const activities = this.#activities;
    if (!activities) throw ApplicationFailure.nonRetryable("the platform of this test is gone");
    this.#count(task.operation, 1);
    try {
      const run = activities.functions()[name] as Activity | undefined;
      return await run!(task);
    } catch (error) {
      throw await this.#pause(error, activities);
    } finally {
      this.#count(task.operation, -1);
    }
  }

  /** Sleeps until the next attempt on the platform's clock, so that Temporal need not. */
  async #pause(error: unknown, activities: StepActivities): Promise<unknown> {
    if (!(error instanceof ApplicationFailure) || error.nonRetryable) return error;
    const { message, type, nextRetryDelay } = error;
    if (typeof nextRetryDelay === "number") {
      const slept = this.#clock.sleep(nextRetryDelay);
      while (!await Promise.race([slept.then(() => true), this.#change().then(() => false)])) {
        if (this.#activities !== activities) break;
      }
    }
    return ApplicationFailure.create({ message, ...(type && { type }), nextRetryDelay: 1 });
  }

  async #waits(): Promise<boolean> {
    const end = Date.now() + PATIENCE_MS;
    while (this.#activities) {
      await this.#settle();
      const live = await this.#live();
      if (live.length === 0 && this.#calls === 0) return false;
      const allWait = this.#calls === 0 && live.every((name) => this.#inFlight.has(name));
      if (allWait && this.#clock.sleepers > 0) return true;
      if (Date.now() > end) throw new Error(`Temporal does not continue with ${live.join(", ")}`);
      await this.#change();
    }
    return false;
  }

  /** Lets the reaction to Temporal's last response run, so that it does not count as waiting. */
  async #settle(): Promise<void> {
    for (let before = -1; before !== this.#changes;) {
      before = this.#changes;
      await settle();
    }
  }

  #emitChange(): void {
    this.#changes++;
    this.#changed.emit("change");
  }

  /** Operations that have begun, or may begin at any time. */
  async #live(): Promise<readonly string[]> {
    const { items } = await this.#store.operations.list({ limit: 1_000 });
    const live = items.filter(({ value }) => !isTerminal(value.state));
    const held = await Promise.all(live.map(({ value }) => holdsResource(this.#store, value)));
    return live.filter((_, index) => held[index]).map(({ value }) => value.name);
  }

  #count(operation: string, by: number): void {
    const count = (this.#inFlight.get(operation) ?? 0) + by;
    if (count > 0) this.#inFlight.set(operation, count);
    else this.#inFlight.delete(operation);
    this.#emitChange();
  }

  /** Resolves when an activity begins or ends, or after a short time. */
  async #change(): Promise<void> {
    const moment = AbortSignal.timeout(20);
    try {
      await once(this.#changed, "change", { signal: moment });
    } catch (error) {
      if (!moment.aborted) throw error;
    }
  }
}
