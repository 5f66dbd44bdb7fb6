import type { PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { beingDeleted, ownedByAnother } from "../../provider_errors.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { AUTOSCALER } from "../client/kinds.ts";
import { fieldAt, type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import type { KubernetesObject } from "../render/mod.ts";
import { applyScaled } from "./apply_scaled.ts";
import { deletionOf, diffObjects, type Shown } from "./diff.ts";
import { among, kindsHad, withKindsNoted } from "./kinds_had.ts";
import { ownedBy, ownerOf, revisionOf } from "./ownership.ts";
import { listKinds, removeObjects } from "./remove.ts";

/** What an owner is to have on the cluster. */
export interface Desired {
  /** Uid of the environment or workload. */
  readonly uid: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubernetesObject[];
  /** Kinds of which the owner has nothing but `objects`: the rest is pruned. */
  readonly prune: readonly ObjectKind[];
  /** Of a workload that this is; undefined for what has none. */
  readonly revision?: number;
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
  const before = await readOwned(client, desired, signal);
  const had = kindsHad(before.values());
  const owned = await ownedObjects(client, desired, before, call);
  const changes: PlannedChange[] = [];
  for (const object of withKindsNoted(desired.objects, had ?? new Set())) {
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

/** What applying would change where there is not even a namespace: everything is new. */
export function creationOf(objects: readonly KubernetesObject[]): readonly PlannedChange[] {
  return objects.flatMap((object) => diffObjects(undefined, object) ?? []);
}

/** The desired objects as they are, those that are there. */
async function readOwned(
  client: KubeClient,
  { objects, uid }: Desired,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LiveObject>> {
  const found = await Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
  const live = found.flatMap((object) => object ? [[textOf(refOf(object)), object] as const] : []);
  for (const [text, object] of live) {
    if (ownerOf(object) !== uid) throw ownedByAnother(text);
    if (object.metadata.deletionTimestamp !== undefined) throw beingDeleted(text);
  }
  return new Map(live);
}

/** What the owner has of the kinds that are pruned. @param before those that are desired too */
async function ownedObjects(
  client: KubeClient,
  { uid, prune, revision, namespace }: Desired,
  before: ReadonlyMap<string, LiveObject>,
  { signal, dryRun = false }: ApplyCall,
): Promise<readonly LiveObject[]> {
  if (before.size === 0 && revision === 1) return [];
  const had = kindsHad(before.values());
  // A later revision that failed may have made objects before it came to noting their kinds.
  const goesForward = revision !== undefined &&
    [...before.values()].every((object) => revisionOf(object) < revision);
  const kinds = had && (goesForward || dryRun) ? among(prune, had) : prune;
  return await listKinds(client, kinds, { namespace, labelSelector: ownedBy(uid) }, signal);
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
