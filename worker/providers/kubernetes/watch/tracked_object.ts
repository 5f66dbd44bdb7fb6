import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { ownedBy } from "../objects/ownership.ts";
import type { ClusterWatch } from "./cluster_watch.ts";
import type { Informer } from "./informer.ts";

/**
 * One object: first as it was read, then as its watch reports it. The watch may lag behind the read,
 * so an object that the watch does not know yet is not treated as deleted.
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

  /** Undefined after its deletion. */
  current(): LiveObject | undefined {
    const { uid } = this.#read.metadata;
    const known = this.#informer.of(this.#owner).find(({ metadata }) => metadata.uid === uid);
    if (known) return versionOf(known) >= versionOf(this.#read) ? known : this.#read;
    // A list of a later version would contain it.
    const gone = this.#informer.hasRemoved(uid ?? "") ||
      this.#informer.listedAt >= versionOf(this.#read);
    return gone ? undefined : this.#read;
  }

  /** The last state of a deleted Job, as far as it is known. */
  removedJob(): LiveObject | undefined {
    return this.#informer.removedJob(this.#read.metadata.uid ?? "");
  }

  /** Why its watch is stale; undefined while it is current. */
  get failure(): unknown {
    return this.#informer.failure;
  }
}

/** Resource versions of one kind increase (Kubernetes API concepts, "Resource versions"; KEP-5504). */
const versionOf = ({ metadata }: LiveObject): number => Number(metadata.resourceVersion ?? 0);

/** Reads the objects of an owner, and tracks their changes from then on. */
export async function trackOwned(
  cluster: { readonly client: KubeClient; readonly watch: ClusterWatch },
  kinds: readonly ObjectKind[],
  { namespace, uid }: { readonly namespace: string; readonly uid: string },
  signal: AbortSignal,
): Promise<readonly TrackedObject[]> {
  const selection = { namespace, labelSelector: ownedBy(uid) };
  // The watches begin first, so that they report every change after the read.
  const informers = kinds.map((kind) => cluster.watch.informer(kind));
  const lists = await Promise.all(
    kinds.map((kind) => cluster.client.list(kind, selection, { signal })),
  );
  return lists.flatMap(({ items }, index) =>
    items.map((object) => new TrackedObject(informers[index]!, uid, object))
  );
}
