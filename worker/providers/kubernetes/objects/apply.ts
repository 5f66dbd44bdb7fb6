import type { PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { beingDeleted, ownedByAnother } from "../../provider_errors.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { AUTOSCALER } from "../client/kinds.ts";
import { fieldAt, type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import type { KubernetesObject } from "../render/mod.ts";
import { applyScaled } from "./apply_scaled.ts";
import { listKinds, removeObjects } from "./remove.ts";
import { deletionOf, diffObjects, type Shown } from "./diff.ts";
import { ownedBy, ownerOf } from "./ownership.ts";

/** What an owner is to have on the cluster. */
export interface Desired {
  /** Uid of the environment or workload. */
  readonly uid: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubernetesObject[];
  /** Kinds of which the owner has nothing but `objects`: the rest is pruned. */
  readonly prune: readonly ObjectKind[];
  /** Which values its changes show. */
  readonly shown?: Shown;
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
  const owned = await ownedObjects(client, desired, signal);
  const before = await liveObjects(client, desired, owned, signal);
  const changes: PlannedChange[] = [];
  for (const object of desired.objects) {
    const live = before.get(textOf(refOf(object)));
    const options = { signal, dryRun, force, uid: live?.metadata.uid };
    const least = leastReplicas(desired.objects, object);
    const scaling = { least, wasAutoscaled: leastReplicas(owned, object) !== undefined };
    const applied = await applyScaled(client, live, object, scaling, options);
    const change = diffObjects(live, applied, desired.shown);
    if (change) changes.push(change);
  }
  const surplus = surplusOf(desired, owned);
  if (!dryRun) await removeObjects(client, surplus, signal);
  return [...changes, ...surplus.map(deletionOf)];
}

/**
 * What applying would change where there is not even a namespace: everything is new.
 */
export function creationOf(objects: readonly KubernetesObject[]): readonly PlannedChange[] {
  return objects.flatMap((object) => diffObjects(undefined, object) ?? []);
}

/** What the owner has already, of the kinds that are pruned. */
function ownedObjects(
  client: KubeClient,
  { uid, prune, namespace }: Desired,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  return listKinds(client, prune, { namespace, labelSelector: ownedBy(uid) }, signal);
}

/** The desired objects as they are; what the owner does not have may be somebody else's. */
async function liveObjects(
  client: KubeClient,
  { objects, uid }: Desired,
  owned: readonly LiveObject[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LiveObject>> {
  const live = new Map(owned.map((object) => [textOf(refOf(object)), object]));
  const unknown = objects.filter((object) => !live.has(textOf(refOf(object))));
  const found = await Promise.all(unknown.map((object) => client.get(refOf(object), { signal })));
  for (const object of found) if (object) live.set(textOf(refOf(object)), object);
  for (const object of objects) {
    const text = textOf(refOf(object));
    const there = live.get(text);
    if (!there) continue;
    if (ownerOf(there) !== uid) throw ownedByAnother(text);
    if (there.metadata.deletionTimestamp !== undefined) throw beingDeleted(text);
  }
  return live;
}

/** How many pods an autoscaler among these objects keeps of one of them. */
function leastReplicas(
  objects: readonly (KubernetesObject | LiveObject)[],
  { apiVersion, kind, metadata }: KubernetesObject,
): number | undefined {
  const autoscaler = objects.find((object) => {
    const target = fieldAt(object, "spec", "scaleTargetRef");
    return object.kind === AUTOSCALER.kind && fieldAt(target, "apiVersion") === apiVersion &&
      fieldAt(target, "kind") === kind && fieldAt(target, "name") === metadata.name;
  });
  if (!autoscaler) return undefined;
  const least = fieldAt(autoscaler, "spec", "minReplicas");
  return typeof least === "number" ? least : 1;
}

function surplusOf(
  { objects }: Desired,
  owned: readonly LiveObject[],
): readonly LiveObject[] {
  const wanted = new Set(objects.map((object) => textOf(refOf(object))));
  return owned.filter((object) =>
    !wanted.has(textOf(refOf(object))) && object.metadata.deletionTimestamp === undefined
  );
}
