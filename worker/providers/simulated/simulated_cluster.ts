import type { Instant } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { ClusterMark, Mark } from "../cluster_mark.ts";
import { sleepUntilChanged } from "../sleep_until_changed.ts";
import {
  goneTime,
  namespaceKey,
  type SimulatedDelays,
  type SimulatedNamespace,
  type SimulatedObject,
  type SimulatedWorkload,
} from "./simulated_objects.ts";
import { StateFile } from "./state_file.ts";

/** How often a waiting call looks for changes by other processes. */
const POLL_MS = 20;

export interface SimulatedClusterOptions {
  readonly clock: Clock;
  readonly delays: SimulatedDelays;
  /** The state file, which several processes may share; null to keep the state in memory. */
  readonly statePath: string | null;
}

/** The objects of the simulated cluster at the current time, and how to wait for their changes. */
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
    this.#notify();
  }

  /** See {@linkcode StateFile.atomically}. */
  atomically<R>(body: () => R): R {
    return this.#state.atomically(body);
  }

  /** See {@linkcode StateFile.countAttempt}. */
  countAttempt(key: string, what: string): number {
    return this.#state.countAttempt(key, what);
  }

  /** The mark on the cluster; its version is its text, which never comes back. */
  readonly mark: ClusterMark = {
    read: () => Promise.resolve().then(() => this.#markNow()),
    replace: (read, text) =>
      Promise.resolve().then(() =>
        this.#state.atomically(() => {
          if (this.#markNow().version !== read.version) return false;
          this.#state.setMark(text);
          return true;
        })
      ),
  };

  #markNow(): Mark {
    const text = this.#state.mark();
    return { text, version: text };
  }

  /** Sleeps until a time, or until `changed` is aborted by a change on the cluster. */
  async sleepUntil(
    time: Instant | undefined,
    signal: AbortSignal,
    changed: AbortSignal,
  ): Promise<void> {
    this.#beginPolling();
    try {
      await sleepUntilChanged(this.#clock, time, signal, changed);
    } finally {
      this.#endPolling();
    }
  }

  close(): void {
    this.#changed.abort();
    clearInterval(this.#timer);
    this.#state.close();
  }

  /** Polls for changes by other processes while a call sleeps. */
  #beginPolling(): void {
    this.#sleepers++;
    if (!this.#inFile) return;
    this.#poll();
    this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
  }

  #endPolling(): void {
    if (--this.#sleepers > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const version = this.#version();
    if (version === undefined || version !== this.#seen) this.#notify();
    this.#seen = version;
  }

  /** Undefined if the file cannot be read; the next call of the woken sleeper reports the error. */
  #version(): number | undefined {
    try {
      return this.#state.version();
    } catch {
      return undefined;
    }
  }

  #notify(): void {
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

  /** Removes objects whose deletion has ended; a namespace only after all its workloads. */
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
