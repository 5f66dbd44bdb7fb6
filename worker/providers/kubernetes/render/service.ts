import type { V1Service } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { podSelector, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** How the environment's pods find a workload: by its id, in DNS. */
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
