import type { V1NetworkPolicy } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { ENVIRONMENT } from "./labels.ts";
import { partName, podSelector, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Lets the cluster's ingress controller in to the port that it is to reach. */
export function ingressPolicy(intent: WorkloadIntent): KubernetesObject | undefined {
  const { ingress } = intent.spec;
  return ingress === null ? undefined : admitIngress(intent, ingress.port);
}

/**
 * Lets the cluster's ingress controller in, which the environment's isolation keeps out. It runs in
 * some namespace that is no environment, whichever that is on this cluster.
 * @param port of the pods; undefined for all that they have
 */
export function admitIngress(intent: WorkloadIntent, port?: number): KubernetesObject {
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
        ...(port !== undefined && { ports: [{ protocol: "TCP", port }] }),
      }],
    },
  } satisfies Wire<V1NetworkPolicy>;
}
