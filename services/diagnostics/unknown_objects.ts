import type { Environment, Workload } from "@mpc/domain";
import type { ClusterObject } from "../ports/mod.ts";

/** Objects whose owner has no record. */
export function unknownObjects(
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
): readonly ClusterObject[] {
  const uids = new Set(resources.map(({ uid }) => uid));
  return objects.filter(({ targetUid }) => !uids.has(targetUid));
}
