import { isMpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { keyOf } from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import type { SharedLists } from "../client/shared_lists.ts";
import { Informer } from "./informer.ts";

/** A cluster with the watches that all waiting calls share. */
export interface WatchedCluster {
  readonly client: KubeClient;
  readonly watch: ClusterWatch;
  readonly lists: SharedLists;
  readonly clock: Clock;
}

/**
 * The shared watches of one cluster: one for each kind, regardless of the number of waiting calls.
 * A watch begins at the first use of its kind.
 */
export class ClusterWatch {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #informers = new Map<string, Informer>();
  readonly #changed = new Map<string, AbortController>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  informer(kind: ObjectKind): Informer {
    const key = keyOf(kind);
    const running = this.#informers.get(key);
    if (running) return running;
    const informer = new Informer({
      client: this.#client,
      clock: this.#clock,
      kind,
      signal: this.#stop.signal,
      onChange: (owner) => this.#wake(owner),
      onRenewed: () => this.#wakeAll(),
    });
    this.#informers.set(key, informer);
    return informer;
  }

  /** Whether the watch of a kind has begun. */
  isWatching(kind: ObjectKind): boolean {
    return this.#informers.has(keyOf(kind));
  }

  /** Aborted when a watched object of the owner changes, and when a watch lists, fails or recovers. */
  changed(owner: string): AbortSignal {
    const waiting = this.#changed.get(owner) ?? new AbortController();
    this.#changed.set(owner, waiting);
    return waiting.signal;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wakeAll();
    await Promise.all([...this.#informers.values()].map(({ ended }) => ended));
  }

  #wake(owner: string): void {
    const waiting = this.#changed.get(owner);
    this.#changed.delete(owner);
    waiting?.abort();
  }

  #wakeAll(): void {
    for (const owner of [...this.#changed.keys()]) this.#wake(owner);
  }
}

/**
 * The first transient failure among the failures of watches; undefined if there is none.
 * @throws the first permanent failure, for instance `CLUSTER_FORBIDS`
 */
export function transientFailure(failures: readonly unknown[]): unknown {
  const present = failures.filter((failure) => failure !== undefined);
  const permanent = present.find((failure) => !isMpcError(failure, "UNAVAILABLE"));
  if (permanent !== undefined) throw permanent;
  return present[0];
}
