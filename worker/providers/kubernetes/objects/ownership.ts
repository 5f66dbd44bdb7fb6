/** Which objects of a cluster are ours, and which environment or workload owns them. */
import { environmentName, workloadName } from "@mpc/domain";
import type { ClusterObject } from "@mpc/services";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { ENVIRONMENT, MANAGED_BY, MANAGER, REVISION, UID, WORKLOAD } from "../render/mod.ts";

/** Selects all our objects. */
export const OURS = `${MANAGED_BY}=${MANAGER}`;

/** The most owners in one label selector. */
const MAX_SELECTED = 50;

/** Selects the objects of these owners; for too many owners it selects all our objects. */
export function ownedBy(...uids: readonly string[]): string {
  if (uids.length > MAX_SELECTED) return OURS;
  return uids.length === 1 ? `${OURS},${UID}=${uids[0]}` : `${OURS},${UID} in (${uids.join(",")})`;
}

/** Selects the objects of a workload in its namespace. */
export const workloadSelector = (workload: string): string => `${OURS},${WORKLOAD}=${workload}`;

/** Uid of the environment or workload that owns an object; undefined if it is not ours. */
export function ownerOf({ metadata }: LiveObject): string | undefined {
  return metadata.labels?.[MANAGED_BY] === MANAGER ? metadata.labels[UID] : undefined;
}

/** The revision that an object was rendered from; 0 if it has none. */
export function revisionOf({ metadata }: LiveObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

/** An object as the inventory lists it; undefined if it is not ours. */
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
