import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./client/kube_object.ts";
import {
  ENVIRONMENT,
  MANAGED_BY,
  RESTART_TOKEN,
  REVISION,
  UID,
  WORKLOAD,
} from "./objects/labels.ts";

const labelsOf = (environment: string, uid: string, workload?: string) => ({
  [MANAGED_BY]: "mpc",
  [ENVIRONMENT]: environment,
  [UID]: uid,
  ...(workload !== undefined && { [WORKLOAD]: workload }),
});

export function renderNamespace(
  { environment, uid, labels }: NamespaceIntent,
): readonly KubernetesObject[] {
  return [{
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: environment, labels: { ...labels, ...labelsOf(environment, uid) } },
  }];
}

export function renderPolicies(
  { environment, uid, quota }: NamespaceIntent,
): readonly KubernetesObject[] {
  const metadata = (name: string) => ({
    name,
    namespace: environment,
    labels: labelsOf(environment, uid),
  });
  const hard = {
    ...(quota.workloads !== null && { "count/deployments.apps": String(quota.workloads) }),
    ...(quota.cpu !== null && { "requests.cpu": quota.cpu }),
    ...(quota.memory !== null && { "requests.memory": quota.memory }),
  };
  return [
    { apiVersion: "v1", kind: "ResourceQuota", metadata: metadata("quota"), spec: { hard } },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadata("isolation"),
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
    },
  ];
}

export function renderWorkload(intent: WorkloadIntent): readonly KubernetesObject[] {
  const { environment, workload, uid, spec, revision, restartToken } = intent;
  const labels = labelsOf(environment, uid, workload);
  const metadata = {
    name: workload,
    namespace: environment,
    labels: { ...intent.labels, ...labels },
    annotations: { [REVISION]: String(revision) },
  };
  const container = {
    name: workload,
    image: spec.image,
    env: Object.entries(spec.env).map(([name, value]) => ({ name, value })),
    ports: spec.ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
    ...(spec.resources.cpu !== null && { resources: { requests: { cpu: spec.resources.cpu } } }),
  };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: spec.replicas,
      progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
      selector: { matchLabels: { [WORKLOAD]: workload } },
      template: {
        metadata: { labels, annotations: { [RESTART_TOKEN]: restartToken } },
        spec: { containers: [container] },
      },
    },
  };
  if (spec.ports.length === 0) return [deployment];
  return [deployment, {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      selector: { [WORKLOAD]: workload },
      ports: spec.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    },
  }];
}
