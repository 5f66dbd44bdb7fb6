/** What our objects are known by on the cluster; `mpc/` is refused in the labels of callers. */
export const MANAGED_BY = "app.kubernetes.io/managed-by";
export const MANAGER = "mpc";
/** Label: id of the environment. A namespace without it is not ours. */
export const ENVIRONMENT = "mpc/environment";
/** Label: id of the workload. */
export const WORKLOAD = "mpc/workload";
/** Label: uid of the environment's or the workload's record. */
export const UID = "mpc/uid";
/**
 * Annotation of what rolls pods out: the revision that it was made of. It stands on the controller
 * alone, because a scaled workload has a new revision, and its pods are not replaced.
 */
export const REVISION = "mpc/revision";
/** Annotation of pods: changes when every copy is to be replaced though the spec is the same. */
export const RESTART_TOKEN = "mpc/restart-token";
/** Annotation of pods: changes with the values of their variables, which pods read at their start. */
export const ENV_CHECKSUM = "mpc/env-checksum";
/** Annotation of what rolls pods out: the kinds that the workload has ever had objects of. */
export const KINDS_HAD = "mpc/kinds-had";
