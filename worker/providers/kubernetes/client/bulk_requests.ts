/** Requests about several kinds or objects. */
import type { ApplyCall } from "@mpc/services";
import {
  AUTOSCALER,
  CONFIG_MAP,
  DISRUPTION_BUDGET,
  INGRESS,
  LIMIT_RANGE,
  NETWORK_POLICY,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE_ACCOUNT,
} from "./kinds.ts";
import type { KubeClient, Selection } from "./kube_client.ts";
import { type LiveObject, type ObjectKind, refOf } from "./kube_object.ts";

/** Kinds whose objects own no others, so their deletion need not wait for the garbage collector. */
const DEPENDENTLESS: ReadonlySet<string> = new Set(
  [
    ...[AUTOSCALER, CONFIG_MAP, DISRUPTION_BUDGET, INGRESS, LIMIT_RANGE, NETWORK_POLICY],
    ...[RESOURCE_QUOTA, SECRET, SERVICE_ACCOUNT],
  ].map(({ kind }) => kind),
);

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

/**
 * Requests the deletion of objects in reverse order. What a controller has created is deleted before
 * it; other objects are gone at once.
 */
export async function deleteObjects(
  client: KubeClient,
  objects: readonly LiveObject[],
  { signal, beforeDelete }: Pick<ApplyCall, "signal" | "beforeDelete">,
): Promise<void> {
  for (const object of objects.toReversed()) {
    const { uid, deletionTimestamp } = object.metadata;
    if (uid === undefined || deletionTimestamp !== undefined) continue;
    const propagation = DEPENDENTLESS.has(object.kind) ? "Background" : "Foreground";
    const resourceVersion = beforeDelete ? object.metadata.resourceVersion : undefined;
    await beforeDelete?.();
    await client.delete(refOf(object), { signal, uid, resourceVersion, propagation });
  }
}
