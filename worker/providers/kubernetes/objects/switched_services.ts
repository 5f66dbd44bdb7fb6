/** Services that select other pods than before: they change after the rollout of these pods. */
import type { ApplyCall } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { keyOf, SERVICE } from "../client/kinds.ts";
import { fieldAt, type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { installedBy, type KubernetesObject } from "../render/mod.ts";
import type { Desired } from "./desired.ts";

/**
 * Whether a Service keeps its selector until the new pods are ready. A Service by which pods find one
 * another before they are ready does not: they might need it to become ready.
 */
export function isSwitchedLater(live: LiveObject, object: KubernetesObject): boolean {
  if (keyOf(object) !== keyOf(SERVICE)) return false;
  const forPeers = fieldAt(object, "spec", "clusterIP") === "None" ||
    fieldAt(object, "spec", "publishNotReadyAddresses") === true;
  return !forPeers && selectorOf(live) !== selectorOf(object);
}

/** Applies the Services that {@linkcode isSwitchedLater} has held back. */
export async function switchServices(
  client: KubeClient,
  { objects, installation }: Desired,
  owned: readonly LiveObject[],
  { signal, forceConflicts: force = false }: ApplyCall,
): Promise<void> {
  const current = new Map(owned.map((object) => [textOf(refOf(object)), object]));
  for (const object of installedBy(installation, objects)) {
    const live = current.get(textOf(refOf(object)));
    if (!live || !isSwitchedLater(live, object)) continue;
    await client.apply(object, { signal, force, dryRun: false, uid: live.metadata.uid });
  }
}

function selectorOf(service: LiveObject): string {
  const selector = fieldAt(service, "spec", "selector") ?? {};
  return JSON.stringify(Object.entries(selector).toSorted(([a], [b]) => a < b ? -1 : 1));
}
