import type { PlannedChange } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { deleteObjects, listKinds } from "../client/bulk_requests.ts";
import { keyOf } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { isReplacedNow } from "./apply.ts";
import type { Desired } from "./desired.ts";
import { deletionOf } from "./diff.ts";
import { annotatedKindOf, readKindHistory } from "./kind_history.ts";
import { isForeign, ownedBy, ownerOf } from "./ownership.ts";
import { switchServices } from "./switched_services.ts";

/**
 * Ends an update whose rollout is complete: switches Services to the new pods, and deletes the
 * owner's objects that are no longer desired.
 * @returns the deletions
 */
export async function pruneObjects(
  client: KubeClient,
  desired: Desired,
  call: ApplyCall,
): Promise<readonly PlannedChange[]> {
  const { dryRun = false } = call;
  const owned = await ownedObjects(client, desired, call);
  const wanted = new Set(desired.objects.map((object) => textOf(refOf(object))));
  const surplus = owned.filter((object) =>
    !wanted.has(textOf(refOf(object))) && object.metadata.deletionTimestamp === undefined &&
    !(dryRun && isReplacedNow(object, desired))
  );
  if (!dryRun) {
    await switchServices(client, desired, owned, call);
    await deleteObjects(client, surplus, call);
  }
  return surplus.map(deletionOf);
}

/** The owner's objects of the kinds to prune, as far as it has ever had objects of them. */
async function ownedObjects(
  client: KubeClient,
  { uid, installation, prune, objects, namespace, read }: Desired,
  { signal, restore = false, leftovers = restore }: ApplyCall,
): Promise<readonly LiveObject[]> {
  if (read) return read.filter((it) => ownerOf(it) === uid && !isForeign(it, installation));
  const selection = { namespace, labelSelector: ownedBy(uid) };
  const annotated = annotatedKindOf(objects, prune);
  const first = annotated ? await listKinds(client, [annotated], selection, signal) : [];
  // A failed deployment may have created objects and not recorded their kinds.
  const history = leftovers ? undefined : readKindHistory(first);
  const others = prune.filter((kind) => kind !== annotated && (history?.has(keyOf(kind)) ?? true));
  const rest = await listKinds(client, others, selection, signal);
  const place = (object: LiveObject) => prune.findIndex((kind) => keyOf(kind) === keyOf(object));
  return [...first, ...rest].filter((object) => !isForeign(object, installation))
    .toSorted((a, b) => place(a) - place(b));
}
