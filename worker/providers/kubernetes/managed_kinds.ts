/** Which kinds of objects an environment and a workload may have on the cluster. */
import {
  AUTOSCALER,
  CONFIG_MAP,
  CRON_JOB,
  DAEMON_SET,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  INGRESS,
  JOB,
  LIMIT_RANGE,
  NAMESPACE,
  NETWORK_POLICY,
  PERSISTENT_VOLUME_CLAIM,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from "./client/kinds.ts";
import type { ObjectKind } from "./client/kube_object.ts";

/** Of an environment, inside its namespace. */
export const POLICY_KINDS: readonly ObjectKind[] = [
  RESOURCE_QUOTA,
  LIMIT_RANGE,
  SERVICE_ACCOUNT,
  NETWORK_POLICY,
];

/**
 * Of a workload; what an update no longer has is pruned. Charts may have more kinds: those are
 * found by what they render.
 */
export const WORKLOAD_KINDS: readonly ObjectKind[] = [
  SERVICE_ACCOUNT,
  CONFIG_MAP,
  SECRET,
  SERVICE,
  DEPLOYMENT,
  STATEFUL_SET,
  DAEMON_SET,
  JOB,
  CRON_JOB,
  AUTOSCALER,
  DISRUPTION_BUDGET,
  INGRESS,
  NETWORK_POLICY,
];

/**
 * Goes with the workload alone: data that an update no longer mounts is kept, so that undoing the
 * update finds it again.
 */
export const KEPT_KINDS: readonly ObjectKind[] = [PERSISTENT_VOLUME_CLAIM];

/** Everything that the inventory looks for. */
export const ALL_KINDS: readonly ObjectKind[] = [
  NAMESPACE,
  ...new Set([...POLICY_KINDS, ...WORKLOAD_KINDS, ...KEPT_KINDS]),
];
