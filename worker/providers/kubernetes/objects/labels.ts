import { environmentName, workloadName } from "@mpc/domain";
import type { ClusterObject } from "@mpc/services";
import { type KubernetesObject, refOf, textOf } from "../client/kube_object.ts";

/** Every object of ours carries it (Kubernetes, "Recommended Labels"). */
export const MANAGED_BY = "app.kubernetes.io/managed-by";
export const ENVIRONMENT = "mpc.dev/environment";
export const WORKLOAD = "mpc.dev/workload";
/** Uid of the environment or workload that an object belongs to. */
export const UID = "mpc.dev/uid";
/** Annotation of what a rollout is watched by: the revision that it was made of. */
export const REVISION = "mpc.dev/revision";
/** Annotation of pod templates: a restart changes it. */
export const RESTART_TOKEN = "mpc.dev/restart-token";

/** Selects everything of ours. */
export const OURS = `${MANAGED_BY}=mpc`;

/** Selects what belongs to one environment or workload. */
export const ownedBy = (uid: string): string => `${OURS},${UID}=${uid}`;

/** Selects what belongs to a workload of this id, within its namespace. */
export const workloadSelector = (workload: string): string => `${OURS},${WORKLOAD}=${workload}`;

/** Uid of the environment or workload that an object belongs to; undefined for a stranger's. */
export function ownerOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.labels?.[MANAGED_BY] === "mpc" ? metadata.labels[UID] : undefined;
}

/** The revision that an object was made of; 0 for what has none. */
export function revisionOf({ metadata }: KubernetesObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

/** An object as the inventory lists it; undefined for a stranger's. */
export function toClusterObject(object: KubernetesObject): ClusterObject | undefined {
  const targetUid = ownerOf(object);
  const environment = object.metadata.labels?.[ENVIRONMENT];
  if (targetUid === undefined || environment === undefined) return undefined;
  const workload = object.metadata.labels?.[WORKLOAD];
  return {
    object: textOf(refOf(object)),
    target: workload === undefined
      ? environmentName(environment)
      : workloadName(environment, workload),
    targetUid,
    revision: revisionOf(object),
  };
}
