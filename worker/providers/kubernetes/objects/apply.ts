import type { PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { beingDeleted, ownedByAnother } from "../../provider_errors.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { type KubernetesObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import { listKinds, removeObjects } from "./remove.ts";
import { deletionOf, diffObjects } from "./diff.ts";
import { ownedBy, ownerOf } from "./labels.ts";

/** What an owner is to have on the cluster. */
export interface Desired {
  /** Uid of the environment or workload. */
  readonly uid: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubernetesObject[];
  /** Kinds of which the owner has nothing but `objects`: the rest is pruned. */
  readonly prune: readonly ObjectKind[];
  /** Where; undefined for what stands in no namespace. */
  readonly namespace?: string;
}

/**
 * Makes the cluster have what is desired, by server-side apply, and prunes the rest.
 *
 * Ownership is checked for all objects before the first is changed; each is applied by its uid, so
 * that what was replaced since by somebody else is not taken for ours.
 * @throws `ALREADY_EXISTS` `OWNED_BY_ANOTHER`, and what {@linkcode KubeClient.apply} throws
 */
export async function applyObjects(
  client: KubeClient,
  desired: Desired,
  call: ApplyCall,
): Promise<readonly PlannedChange[]> {
  const { signal, dryRun = false, forceConflicts: force = false } = call;
  const live = await readOwned(client, desired, signal);
  const surplus = await surplusOf(client, desired, signal);
  const changes: PlannedChange[] = [];
  for (const object of desired.objects) {
    const before = live.get(textOf(refOf(object)));
    const pinned = before ? withUid(object, before.metadata.uid) : object;
    const change = diffObjects(before, await client.apply(pinned, { signal, dryRun, force }));
    if (change) changes.push(change);
  }
  if (!dryRun) await removeObjects(client, surplus, signal);
  return [...changes, ...surplus.map(deletionOf)];
}

/**
 * What applying would change where there is not even a namespace: everything is new.
 */
export function creationOf(objects: readonly KubernetesObject[]): readonly PlannedChange[] {
  return objects.flatMap((object) => diffObjects(undefined, object) ?? []);
}

async function readOwned(
  client: KubeClient,
  { objects, uid }: Desired,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubernetesObject>> {
  const found = await Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
  const live = new Map<string, KubernetesObject>();
  for (const object of found) {
    if (!object) continue;
    const text = textOf(refOf(object));
    if (ownerOf(object) !== uid) throw ownedByAnother(text);
    if (object.metadata.deletionTimestamp !== undefined) throw beingDeleted(text);
    live.set(text, object);
  }
  return live;
}

async function surplusOf(
  client: KubeClient,
  { objects, uid, prune, namespace }: Desired,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const selection = { namespace, labelSelector: ownedBy(uid) };
  const owned = await listKinds(client, prune, selection, signal);
  const wanted = new Set(objects.map((object) => textOf(refOf(object))));
  return owned.filter((object) =>
    !wanted.has(textOf(refOf(object))) && object.metadata.deletionTimestamp === undefined
  );
}

function withUid(object: KubernetesObject, uid: string | undefined): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, ...(uid !== undefined && { uid }) } };
}
