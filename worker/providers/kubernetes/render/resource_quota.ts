import type { V1ResourceQuota } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { policyMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/**
 * The environment's quota, and none of what opens a door beside the cluster's ingress: node ports
 * and load balancers.
 */
export function resourceQuota(intent: NamespaceIntent): KubernetesObject {
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
