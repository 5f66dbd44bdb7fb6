/** Which objects of a cluster are ours, and whose. */
import { environmentName, workloadName } from "@mpc/domain";
import type { ClusterObject } from "@mpc/services";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { ENVIRONMENT, MANAGED_BY, MANAGER, REVISION, UID, WORKLOAD } from "../render/mod.ts";

/** Selects everything of ours. */
export const OURS = `${MANAGED_BY}=${MANAGER}`;

/** So many owners are named in a selection; of more, all of ours is selected. */
const MAX_NAMED = 50;

/** Selects what belongs to environments or workloads; of many of them also what does not. */
export function ownedBy(...uids: readonly string[]): string {
  if (uids.length > MAX_NAMED) return OURS;
  return uids.length === 1 ? `${OURS},${UID}=${uids[0]}` : `${OURS},${UID} in (${uids.join(",")})`;
}

/** Selects what belongs to a workload of this id, within its namespace. */
export const workloadSelector = (workload: string): string => `${OURS},${WORKLOAD}=${workload}`;

/** Uid of the environment or workload that an object belongs to; undefined for a stranger's. */
export function ownerOf({ metadata }: LiveObject): string | undefined {
  return metadata.labels?.[MANAGED_BY] === MANAGER ? metadata.labels[UID] : undefined;
}

/** The revision that an object was made of; 0 for what has none. */
export function revisionOf({ metadata }: LiveObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

/** An object of a cluster as the inventory lists it; undefined for a stranger's. */
export function toClusterObject(cluster: string, object: LiveObject): ClusterObject | undefined {
  const targetUid = ownerOf(object);
  const environment = object.metadata.labels?.[ENVIRONMENT];
  if (targetUid === undefined || environment === undefined) return undefined;
  const workload = object.metadata.labels?.[WORKLOAD];
  return {
    cluster,
    object: textOf(refOf(object)),
    target: workload === undefined
      ? environmentName(environment)
      : workloadName(environment, workload),
    targetUid,
    revision: revisionOf(object),
  };
}
