import type { ObjectKind } from "./kube_object.ts";

const kind = (apiVersion: string, kind: string): ObjectKind => ({ apiVersion, kind });

export const NAMESPACE = kind("v1", "Namespace");
export const POD = kind("v1", "Pod");
export const EVENT = kind("v1", "Event");
export const SERVICE = kind("v1", "Service");
export const CONFIG_MAP = kind("v1", "ConfigMap");
export const SECRET = kind("v1", "Secret");
export const SERVICE_ACCOUNT = kind("v1", "ServiceAccount");
export const PERSISTENT_VOLUME_CLAIM = kind("v1", "PersistentVolumeClaim");
export const RESOURCE_QUOTA = kind("v1", "ResourceQuota");
export const LIMIT_RANGE = kind("v1", "LimitRange");
export const DEPLOYMENT = kind("apps/v1", "Deployment");
export const REPLICA_SET = kind("apps/v1", "ReplicaSet");
export const STATEFUL_SET = kind("apps/v1", "StatefulSet");
export const DAEMON_SET = kind("apps/v1", "DaemonSet");
export const JOB = kind("batch/v1", "Job");
export const CRON_JOB = kind("batch/v1", "CronJob");
export const INGRESS = kind("networking.k8s.io/v1", "Ingress");
export const NETWORK_POLICY = kind("networking.k8s.io/v1", "NetworkPolicy");
export const AUTOSCALER = kind("autoscaling/v2", "HorizontalPodAutoscaler");
export const DISRUPTION_BUDGET = kind("policy/v1", "PodDisruptionBudget");
export const ROLE_BINDING = kind("rbac.authorization.k8s.io/v1", "RoleBinding");

/** Questions to the API server, which stores none of them. */
const REVIEWS = [
  kind("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
  kind("authentication.k8s.io/v1", "SelfSubjectReview"),
  kind("authentication.k8s.io/v1", "TokenReview"),
];

/** A kind in the paths of the API server. */
export interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "Namespace",
  "Node",
  "SelfSubjectAccessReview",
  "SelfSubjectReview",
  "TokenReview",
]);

const KNOWN: readonly ObjectKind[] = [
  NAMESPACE,
  POD,
  EVENT,
  SERVICE,
  CONFIG_MAP,
  SECRET,
  SERVICE_ACCOUNT,
  PERSISTENT_VOLUME_CLAIM,
  RESOURCE_QUOTA,
  LIMIT_RANGE,
  DEPLOYMENT,
  REPLICA_SET,
  STATEFUL_SET,
  DAEMON_SET,
  JOB,
  CRON_JOB,
  INGRESS,
  NETWORK_POLICY,
  AUTOSCALER,
  DISRUPTION_BUDGET,
  ROLE_BINDING,
];

const PLURALS: ReadonlyMap<string, Resource> = new Map(
  [...KNOWN, ...REVIEWS].map((known) => [keyOf(known), {
    plural: plural(known.kind.toLowerCase()),
    namespaced: !CLUSTER_SCOPED.has(known.kind),
  }]),
);

/** The resource of a kind that every cluster has; undefined for other kinds, which need discovery. */
export function knownResource(kind: ObjectKind): Resource | undefined {
  return PLURALS.get(keyOf(kind));
}

/** The kinds with these plural names, as far as every cluster has them. */
export function kindsOfPlurals(plurals: readonly string[]): readonly ObjectKind[] {
  return KNOWN.filter((known) => plurals.includes(PLURALS.get(keyOf(known))?.plural ?? ""));
}

export function keyOf({ apiVersion, kind }: ObjectKind): string {
  return `${apiVersion}/${kind}`;
}

/** The path of an API group and version. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function plural(singular: string): string {
  if (singular.endsWith("y")) return `${singular.slice(0, -1)}ies`;
  return singular.endsWith("s") ? `${singular}es` : `${singular}s`;
}
