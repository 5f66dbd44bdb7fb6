/** How a workload is reached: inside its environment, and from outside the cluster. */
import type { V1Ingress, V1NetworkPolicy, V1Service } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { ENVIRONMENT, partName, podSelector, workloadMetadata } from "./metadata.ts";

/** Gives the workload's id a DNS name inside the environment; undefined without ports. */
export function service(intent: WorkloadIntent): KubernetesObject | undefined {
  const { ports } = intent.spec;
  if (ports.length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: workloadMetadata(intent),
    spec: {
      type: "ClusterIP",
      selector: podSelector(intent).matchLabels,
      ports: ports.map(({ name, port, protocol }) => ({ name, port, protocol, targetPort: name })),
    },
  } satisfies Wire<V1Service>;
}

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

/** Admits the cluster's ingress controller to the port of the workload's Ingress. */
export function ingressPolicy(intent: WorkloadIntent): KubernetesObject | undefined {
  const { ingress } = intent.spec;
  return ingress === null ? undefined : admitIngressController(intent, ingress.port);
}

/**
 * Admits the cluster's ingress controller, which the environment's isolation blocks otherwise. Its
 * namespace differs between clusters, so every namespace that is not an environment is admitted.
 * @param port of the pods; undefined for all their ports
 */
export function admitIngressController(intent: WorkloadIntent, port?: number): KubernetesObject {
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
