import type { KubeClient, Selection } from "../client/kube_client.ts";
import { type LiveObject, type ObjectKind, refOf } from "../client/kube_object.ts";

/** Everything of these kinds that a selection matches, in the order of the kinds. */
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

/** Asks for the deletion of objects, the last first; their dependents go before them. */
export async function removeObjects(
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
