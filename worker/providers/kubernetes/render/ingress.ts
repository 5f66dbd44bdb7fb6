import type { V1Ingress } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** How a workload is reached from outside the cluster. */
export function ingress(intent: WorkloadIntent): KubernetesObject | undefined {
  const { ingress } = intent.spec;
  if (ingress === null) return undefined;
  const { host, path, port, tlsSecret, ingressClass } = ingress;
  const backend = { service: { name: intent.workload, port: { number: port } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: workloadMetadata(intent),
    spec: {
      ...(ingressClass !== null && { ingressClassName: ingressClass }),
      rules: [{ host, http: { paths: [{ path, pathType: "Prefix", backend }] } }],
      ...(tlsSecret !== null && { tls: [{ hosts: [host], secretName: tlsSecret }] }),
    },
  } satisfies Wire<V1Ingress>;
}
