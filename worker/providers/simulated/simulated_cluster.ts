import type { Instant } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { sleepUntil } from "../sleep_until.ts";
import {
  goneTime,
  namespaceKey,
  type SimulatedNamespace,
  type SimulatedObject,
  type SimulatedWorkload,
} from "./cluster_state.ts";
import type { SimulatedDelays } from "./delays.ts";
import { StateFile } from "./state_file.ts";

/** How soon a sleeper notices what another process has changed, at most. */
const LOOK_EVERY_MS = 20;

export interface SimulatedClusterOptions {
  readonly clock: Clock;
  readonly delays: SimulatedDelays;
  /** The file of its state, which several processes may have; null for memory. */
  readonly statePath: string | null;
}

/** The objects of the simulated cluster as time has left them, and waiting for them to change. */
export class SimulatedCluster {
  readonly delays: SimulatedDelays;
  readonly #clock: Clock;
  readonly #state: StateFile;
  readonly #inFile: boolean;
  #changed = new AbortController();
  #seen: number | undefined;
  #sleepers = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE` */
  constructor(options: SimulatedClusterOptions) {
    this.delays = options.delays;
    this.#clock = options.clock;
    this.#state = new StateFile(options.statePath);
    this.#inFile = options.statePath !== null;
    this.#seen = this.#version();
  }

  now(): Instant {
    return this.#clock.now();
  }

  /** Aborted when anything on the cluster changes. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` */
  assertReachable(): void {
    this.#state.version();
  }

  namespace(environment: string): SimulatedNamespace | undefined {
    const object = this.#present(namespaceKey(environment), environment);
    return object?.kind === "namespace" ? object : undefined;
  }

  workload(key: string): SimulatedWorkload | undefined {
    const object = this.#present(key, key.split("/")[0] ?? "");
    return object?.kind === "workload" ? object : undefined;
  }

  workloadsOf(environment: string): readonly (readonly [string, SimulatedWorkload])[] {
    return this.#state.entriesOf(environment).flatMap(([key, object]) =>
      object.kind === "workload" && !this.#isDue(object) ? [[key, object] as const] : []
    );
  }

  all(): readonly SimulatedObject[] {
    const due = this.#state.all().filter((object) => this.#isDue(object));
    for (const environment of new Set(due.map(({ intent }) => intent.environment))) {
      this.#reap(environment);
    }
    return this.#state.all();
  }

  put(key: string, object: SimulatedObject): void {
    this.#state.put(key, object);
    this.#tell();
  }

  /** Reads and changes as one step, also over processes; see {@linkcode StateFile.atomically}. */
  atomically<R>(body: () => R): R {
    return this.#state.atomically(body);
  }

  /** Counts how often something was tried on an object, from 1. */
  countAttempt(key: string, what: string): number {
    return this.#state.countAttempt(key, what);
  }

  /** Sleeps until a moment, or until something has changed since `changed` was taken. */
  async sleepUntil(
    time: Instant | undefined,
    signal: AbortSignal,
    changed: AbortSignal,
  ): Promise<void> {
    this.#beginToLook();
    try {
      await sleepUntil(this.#clock, time, signal, changed);
    } finally {
      this.#endToLook();
    }
  }

  close(): void {
    this.#changed.abort();
    clearInterval(this.#timer);
    this.#state.close();
  }

  /** Looks for what other processes change, while somebody sleeps. */
  #beginToLook(): void {
    this.#sleepers++;
    if (!this.#inFile) return;
    this.#look();
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  #endToLook(): void {
    if (--this.#sleepers > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const version = this.#version();
    if (version === undefined || version !== this.#seen) this.#tell();
    this.#seen = version;
  }

  /** Undefined where it cannot be read: who is woken then meets the reason. */
  #version(): number | undefined {
    try {
      return this.#state.version();
    } catch {
      return undefined;
    }
  }

  #tell(): void {
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort();
  }

  #isDue(object: SimulatedObject): boolean {
    return (goneTime(object, this.delays) ?? Infinity) <= this.now();
  }

  #present(key: string, environment: string): SimulatedObject | undefined {
    const object = this.#state.get(key);
    if (!object || !this.#isDue(object)) return object;
    this.#reap(environment);
    return this.#state.get(key);
  }

  /** Removes what is gone by now; a namespace goes after all that is inside. */
  #reap(environment: string): void {
    this.#state.atomically(() => {
      const left = new Map(this.#state.entriesOf(environment));
      const remove = (key: string) => {
        this.#state.remove(key);
        left.delete(key);
      };
      for (const [key, object] of [...left]) {
        if (object.kind === "workload" && this.#isDue(object)) remove(key);
      }
      const namespace = left.get(namespaceKey(environment));
      if (namespace && this.#isDue(namespace) && left.size === 1) {
        remove(namespaceKey(environment));
      }
    });
  }
}
