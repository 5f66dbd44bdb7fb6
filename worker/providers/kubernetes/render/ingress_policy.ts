import type { V1NetworkPolicy } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { ENVIRONMENT } from "./labels.ts";
import { partName, podSelector, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/**
 * Lets the cluster's ingress controller in, which the environment's isolation keeps out. It runs in
 * some namespace that is no environment, whichever that is on this cluster.
 */
export function ingressPolicy(intent: WorkloadIntent): KubernetesObject | undefined {
  const { ingress } = intent.spec;
  if (ingress === null) return undefined;
  const noEnvironment = { matchExpressions: [{ key: ENVIRONMENT, operator: "DoesNotExist" }] };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: workloadMetadata(intent, partName(intent, "ingress")),
    spec: {
      podSelector: podSelector(intent),
      policyTypes: ["Ingress"],
      ingress: [{
        from: [{ namespaceSelector: noEnvironment }],
        ports: [{ protocol: "TCP", port: ingress.port }],
      }],
    },
  } satisfies Wire<V1NetworkPolicy>;
}
