import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { ownedBy } from "../objects/ownership.ts";
import type { ClusterWatch } from "./cluster_watch.ts";
import type { Informer } from "./informer.ts";

/**
 * One object: as it was read first, then as its watch tells. A watch may be behind what was read,
 * so that an object which it does not know is not yet gone.
 */
export class TrackedObject {
  readonly #informer: Informer;
  readonly #owner: string;
  readonly #read: LiveObject;

  constructor(informer: Informer, owner: string, read: LiveObject) {
    this.#informer = informer;
    this.#owner = owner;
    this.#read = read;
  }

  /** Undefined when it is gone. */
  current(): LiveObject | undefined {
    const { uid } = this.#read.metadata;
    const known = this.#informer.of(this.#owner).find(({ metadata }) => metadata.uid === uid);
    if (known) return versionOf(known) >= versionOf(this.#read) ? known : this.#read;
    // A list of a later version would have it.
    const gone = this.#informer.hasRemoved(uid ?? "") ||
      this.#informer.listedAt >= versionOf(this.#read);
    return gone ? undefined : this.#read;
  }

  /** Why its watch does not follow; undefined while it does. */
  get trouble(): unknown {
    return this.#informer.failure;
  }
}

/** Versions of one kind grow (Kubernetes API concepts, "Resource versions"; KEP-5504). */
const versionOf = ({ metadata }: LiveObject): number => Number(metadata.resourceVersion ?? 0);

/** Reads an owner's objects, and follows them from there on. */
export async function trackOwned(
  cluster: { readonly client: KubeClient; readonly watch: ClusterWatch },
  kinds: readonly ObjectKind[],
  { namespace, uid }: { readonly namespace: string; readonly uid: string },
  signal: AbortSignal,
): Promise<readonly TrackedObject[]> {
  const selection = { namespace, labelSelector: ownedBy(uid) };
  // The watches first: what changes after the reading is told by them.
  const informers = kinds.map((kind) => cluster.watch.informer(kind));
  const lists = await Promise.all(
    kinds.map((kind) => cluster.client.list(kind, selection, { signal })),
  );
  return lists.flatMap(({ items }, index) =>
    items.map((object) => new TrackedObject(informers[index]!, uid, object))
  );
}
