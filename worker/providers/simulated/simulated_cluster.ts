import type { Instant } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import {
  goneTime,
  namespaceKey,
  type SimulatedNamespace,
  type SimulatedObject,
  type SimulatedWorkload,
} from "./cluster_state.ts";
import type { SimulatedDelays } from "./delays.ts";
import { StateFile } from "./state_file.ts";

/** What cannot be waited for any longer, in milliseconds: nobody sleeps for ever. */
const LONGEST_SLEEP_MS = 2 ** 30;

/** The objects of the simulated cluster as time has left them, and waiting for them to change. */
export class SimulatedCluster {
  readonly delays: SimulatedDelays;
  readonly #clock: Clock;
  readonly #state: StateFile;
  #changed = new AbortController();

  /** @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE` */
  constructor(options: { clock: Clock; delays: SimulatedDelays; statePath: string | null }) {
    this.delays = options.delays;
    this.#clock = options.clock;
    this.#state = new StateFile(options.statePath);
  }

  now(): Instant {
    return this.#clock.now();
  }

  /** Aborted when anything on the cluster changes. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  namespace(environment: string): SimulatedNamespace | undefined {
    this.#reap(environment);
    const object = this.#state.get(namespaceKey(environment));
    return object?.kind === "namespace" ? object : undefined;
  }

  workload(key: string): SimulatedWorkload | undefined {
    this.#reap(key.split("/")[0] ?? "");
    const object = this.#state.get(key);
    return object?.kind === "workload" ? object : undefined;
  }

  workloadsOf(environment: string): readonly (readonly [string, SimulatedWorkload])[] {
    return this.#state.entriesOf(environment).flatMap(([key, object]) =>
      object.kind === "workload" ? [[key, object] as const] : []
    );
  }

  all(): readonly SimulatedObject[] {
    for (const environment of this.#state.environments()) this.#reap(environment);
    return this.#state.entries().map(([, object]) => object);
  }

  put(key: string, object: SimulatedObject): void {
    this.#state.put(key, object);
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort();
  }

  /** Counts how often something was tried in this process, from 1. */
  countAttempt(key: string): number {
    return this.#state.countAttempt(key);
  }

  /** Sleeps until a moment, or until something has changed since `changed` was taken. */
  async sleepUntil(
    time: Instant | undefined,
    signal: AbortSignal,
    changed: AbortSignal,
  ): Promise<void> {
    const ms = time === undefined ? LONGEST_SLEEP_MS : Math.max(1, time - this.now());
    try {
      await this.#clock.sleep(ms, AbortSignal.any([signal, changed]));
    } catch (error) {
      if (signal.aborted || !changed.aborted) throw error;
    }
  }

  close(): void {
    this.#changed.abort();
    this.#state.close();
  }

  /** Removes what is gone by now; a namespace goes after all that is inside. */
  #reap(environment: string): void {
    const now = this.now();
    const isGone = (object: SimulatedObject) => (goneTime(object, this.delays) ?? Infinity) <= now;
    for (const [key, workload] of this.workloadsOf(environment)) {
      if (isGone(workload)) this.#state.remove(key);
    }
    const namespace = this.#state.get(namespaceKey(environment));
    if (namespace && isGone(namespace) && this.workloadsOf(environment).length === 0) {
      this.#state.remove(namespaceKey(environment));
    }
  }
}
