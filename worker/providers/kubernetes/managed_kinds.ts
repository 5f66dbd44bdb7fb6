/** The kinds of objects that environments and workloads have on the cluster. */
import type { WorkloadSpec } from "@mpc/domain";
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

/** The objects of an environment inside its namespace. */
export const POLICY_KINDS: readonly ObjectKind[] = [
  RESOURCE_QUOTA,
  LIMIT_RANGE,
  SERVICE_ACCOUNT,
  NETWORK_POLICY,
];

/** The objects of a workload. An update prunes them. Charts may be allowed to have more kinds. */
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
 * Deleted only with the workload: an update keeps data that it no longer mounts, so that a rollback
 * finds it again.
 */
export const KEPT_KINDS: readonly ObjectKind[] = [PERSISTENT_VOLUME_CLAIM];

/** Kinds with secrets in them, which a worker need not be allowed to read in all namespaces. */
export const PRIVATE_KINDS: readonly ObjectKind[] = [SECRET, CONFIG_MAP];

/** All kinds of the inventory. */
export const ALL_KINDS: readonly ObjectKind[] = [
  NAMESPACE,
  ...new Set([...POLICY_KINDS, ...WORKLOAD_KINDS, ...KEPT_KINDS]),
];

/** The controllers that roll pods out. */
export const CONTROLLER_KINDS: readonly ObjectKind[] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

/** The kinds that create pods, themselves or by others. */
export const POD_OWNING_KINDS: readonly ObjectKind[] = [...CONTROLLER_KINDS, JOB, CRON_JOB];

/** The kinds that a rollout waits for. An image is a Deployment; a chart may also run Jobs. */
export function awaitedKinds({ chart }: WorkloadSpec): readonly ObjectKind[] {
  return chart === null ? [DEPLOYMENT] : [...CONTROLLER_KINDS, JOB];
}
