/** The objects of an environment: its namespace, and the policies inside it. */
import type {
  RbacV1Subject,
  V1LimitRange,
  V1Namespace,
  V1ResourceQuota,
  V1RoleBinding,
  V1ServiceAccount,
} from "@kubernetes/client-node";
import { DEFAULT_REQUESTS } from "@mpc/domain";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { inApplyOrder } from "./apply_order.ts";
import { ENVIRONMENT, MANAGED_BY, MANAGER, policyMetadata, UID } from "./metadata.ts";
import { networkPolicies } from "./network_policies.ts";

const POD_SECURITY = "pod-security.kubernetes.io";

/** The label by which a namespace accepts only pods that meet the standard "restricted". */
export const RESTRICTED_PODS = { [`${POD_SECURITY}/enforce`]: "restricted" } as const;

/** The service account of all pods. It has no permissions on the API server. */
export const SERVICE_ACCOUNT = "workloads";

/**
 * The namespace of an environment. It has the environment's id as its name, so users type the same
 * name for both. A namespace of that name without our labels belongs to somebody else and is
 * rejected. Its pods must meet the "restricted" Pod Security Standard.
 */
export function renderNamespace(
  { environment, uid, labels }: NamespaceIntent,
): readonly KubernetesObject[] {
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: environment,
      labels: {
        ...labels,
        [MANAGED_BY]: MANAGER,
        [ENVIRONMENT]: environment,
        [UID]: uid,
        ...RESTRICTED_PODS,
        [`${POD_SECURITY}/audit`]: "restricted",
        [`${POD_SECURITY}/warn`]: "restricted",
      },
    },
  } satisfies Wire<V1Namespace>;
  return [namespace];
}

/** Quota, limits, network policies and the service account of an environment. */
export function renderPolicies(intent: NamespaceIntent): readonly KubernetesObject[] {
  return inApplyOrder([
    ...networkPolicies(intent),
    resourceQuota(intent),
    limitRange(intent),
    serviceAccount(intent),
  ]);
}

/**
 * The environment's quota. It also forbids node ports and load balancers, which would open a way in
 * beside the cluster's ingress controller.
 */
function resourceQuota(intent: NamespaceIntent): KubernetesObject {
  const { workloads, cpu, memory } = intent.quota;
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: policyMetadata(intent, "quota"),
    spec: {
      hard: {
        "services.nodeports": "0",
        "services.loadbalancers": "0",
        ...(workloads !== null && { "count/deployments.apps": String(workloads) }),
        ...(cpu !== null && { "requests.cpu": cpu }),
        ...(memory !== null && { "requests.memory": memory }),
      },
    },
  } satisfies Wire<V1ResourceQuota>;
}

/** Defaults for containers without requests and limits: a quota rejects pods that have none. */
function limitRange(intent: NamespaceIntent): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: policyMetadata(intent, "limits"),
    spec: {
      limits: [{
        type: "Container",
        defaultRequest: DEFAULT_REQUESTS,
        // A shortage of memory kills containers; a shortage of cpu only slows them down.
        default: { memory: "512Mi" },
      }],
    },
  } satisfies Wire<V1LimitRange>;
}

/** Who a RoleBinding gives permissions to. */
export type Subject = Wire<RbacV1Subject>;

/** The ClusterRole with the permissions that a worker needs inside an environment. */
export const ENVIRONMENT_ROLE = "mpc-environment";

/** Gives a worker its permissions inside the namespace of an environment. */
export function roleBinding(intent: NamespaceIntent, worker: Subject): KubernetesObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: policyMetadata(intent, "mpc-worker"),
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: ENVIRONMENT_ROLE,
    },
    subjects: [worker],
  } satisfies Wire<V1RoleBinding>;
}

function serviceAccount(intent: NamespaceIntent): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: policyMetadata(intent, SERVICE_ACCOUNT),
    automountServiceAccountToken: false,
  } satisfies Wire<V1ServiceAccount>;
}
