import type { V2HorizontalPodAutoscaler } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Lets the cpu load decide how many pods run. */
export function autoscaler(intent: WorkloadIntent): KubernetesObject | undefined {
  const { autoscaling } = intent.spec;
  if (autoscaling === null) return undefined;
  const { minReplicas, maxReplicas, targetCpuPercent } = autoscaling;
  const target = { type: "Utilization", averageUtilization: targetCpuPercent };
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: workloadMetadata(intent),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: intent.workload },
      minReplicas,
      maxReplicas,
      metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
    },
  } satisfies Wire<V2HorizontalPodAutoscaler>;
}
