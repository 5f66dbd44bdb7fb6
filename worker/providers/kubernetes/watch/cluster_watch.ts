import type { Clock } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { keyOf } from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { Informer } from "./informer.ts";

/** The cluster, and what is shared by all who wait for it. */
export interface WatchedCluster {
  readonly client: KubeClient;
  readonly watch: ClusterWatch;
  readonly clock: Clock;
}

/**
 * Everything that waits for one cluster waits here: one watch for each kind, however many wait.
 * A watch begins when its kind is first asked for.
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

  /** Aborted when any watched object of the owner changes; when a watch lists, breaks or works again. */
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
