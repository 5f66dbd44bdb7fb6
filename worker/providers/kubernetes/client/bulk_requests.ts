/** Requests about several kinds or objects. */
import type { KubeClient, Selection } from "./kube_client.ts";
import { type LiveObject, type ObjectKind, refOf } from "./kube_object.ts";

/** All objects of these kinds that a selection matches, in the order of the kinds. */
export async function listKinds(
  client: KubeClient,
  kinds: readonly ObjectKind[],
  selection: Selection,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const lists = await Promise.all(
    kinds.map((kind) => client.list(kind, selection, { signal })),
  );
  return lists.flatMap(({ items }) => items);
}

/** Requests the deletion of objects in reverse order. Dependents are deleted before their owner. */
export async function deleteObjects(
  client: KubeClient,
  objects: readonly LiveObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects.toReversed()) {
    const { uid, deletionTimestamp } = object.metadata;
    if (uid === undefined || deletionTimestamp !== undefined) continue;
    await client.delete(refOf(object), { signal, uid, propagation: "Foreground" });
  }
}
