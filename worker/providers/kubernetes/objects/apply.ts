import type { PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { beingDeleted, ownedByAnother } from "../../provider_errors.ts";
import { deleteObjects, listKinds } from "../client/bulk_requests.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { AUTOSCALER, keyOf } from "../client/kinds.ts";
import { fieldAt, type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import { installedBy, type KubernetesObject } from "../render/mod.ts";
import { deletionOf, diffObjects, type ShownValues } from "./diff.ts";
import { annotateKindHistory, readKindHistory } from "./kind_history.ts";
import { isForeign, ownedBy, ownerOf, revisionOf } from "./ownership.ts";
import { applyWithReplicas } from "./replica_ownership.ts";

/** The desired state of one owner on the cluster. */
export interface Desired {
  /** Uid of the environment or workload. */
  readonly uid: string;
  /** The control plane that applies it: objects of others are neither changed nor pruned. */
  readonly installation: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubernetesObject[];
  /** Kinds to prune: the owner's objects of these kinds that are not in `objects` are deleted. */
  readonly prune: readonly ObjectKind[];
  /** The revision of a workload; undefined for an environment. */
  readonly revision?: number;
  readonly shown?: ShownValues;
  /** Undefined for cluster-scoped objects. */
  readonly namespace?: string;
}

/**
 * Applies the desired objects by server-side apply, and prunes the owner's other objects.
 *
 * The ownership of all objects is checked before the first change. Each object is applied with its
 * uid, so that an object that somebody else has replaced in the meantime is not changed.
 * @throws `ALREADY_EXISTS` `OWNED_BY_ANOTHER`, and the errors of {@linkcode KubeClient.apply}
 */
export async function applyObjects(
  client: KubeClient,
  desired: Desired,
  call: ApplyCall,
): Promise<readonly PlannedChange[]> {
  const { signal, dryRun = false, forceConflicts: force = false } = call;
  const before = await readOwned(client, desired, signal);
  const history = readKindHistory(before.values());
  const owned = await ownedObjects(client, desired, before, call);
  const changes: PlannedChange[] = [];
  const objects = installedBy(desired.installation, desired.objects);
  for (const object of annotateKindHistory(objects, history ?? new Set())) {
    const live = before.get(textOf(refOf(object)));
    const options = { signal, dryRun, force, uid: live?.metadata.uid };
    const least = leastReplicas(desired.objects, object);
    const scaling = { least, wasAutoscaled: leastReplicas(owned, object) !== undefined };
    const applied = await applyWithReplicas(client, live, object, scaling, options);
    const change = diffObjects(live, applied, desired.shown);
    if (change) changes.push(change);
  }
  const surplus = surplusOf(desired, owned);
  if (!dryRun) await deleteObjects(client, surplus, signal);
  return [...changes, ...surplus.map(deletionOf)];
}

/** The changes of applying objects to a namespace that does not exist: all are created. */
export function creationOf(objects: readonly KubernetesObject[]): readonly PlannedChange[] {
  return objects.flatMap((object) => diffObjects(undefined, object) ?? []);
}

/** The current state of the desired objects that exist, by their text. Checks their ownership. */
async function readOwned(
  client: KubeClient,
  { objects, uid, installation }: Desired,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LiveObject>> {
  const found = await Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
  const live = found.flatMap((object) => object ? [[textOf(refOf(object)), object] as const] : []);
  for (const [text, object] of live) {
    if (ownerOf(object) !== uid || isForeign(object, installation)) throw ownedByAnother(text);
    if (object.metadata.deletionTimestamp !== undefined) throw beingDeleted(text);
  }
  return new Map(live);
}

/** The owner's objects of the kinds to prune. @param before the existing desired objects */
async function ownedObjects(
  client: KubeClient,
  { uid, installation, prune, revision, namespace }: Desired,
  before: ReadonlyMap<string, LiveObject>,
  { signal, dryRun = false }: ApplyCall,
): Promise<readonly LiveObject[]> {
  if (before.size === 0 && revision === 1) return [];
  const history = readKindHistory(before.values());
  // A later revision may have failed after it created objects and before it recorded their kinds.
  const goesForward = revision !== undefined &&
    [...before.values()].every((object) => revisionOf(object) < revision);
  const kinds = history && (goesForward || dryRun)
    ? prune.filter((kind) => history.has(keyOf(kind)))
    : prune;
  const owned = await listKinds(client, kinds, { namespace, labelSelector: ownedBy(uid) }, signal);
  return owned.filter((object) => !isForeign(object, installation));
}

/** The least replicas that an autoscaler among these objects sets for one of them. */
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
