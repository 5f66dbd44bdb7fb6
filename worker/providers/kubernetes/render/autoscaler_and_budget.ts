/** How many pods of a workload run, and how many of them a node drain may evict. */
import type { V1PodDisruptionBudget, V2HorizontalPodAutoscaler } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { podSelector, workloadMetadata } from "./metadata.ts";

/** Scales a workload by the cpu utilization of its pods. */
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

/** Limits how many pods a drain evicts at once. Pods that are not ready never block a drain. */
export function disruptionBudget(intent: WorkloadIntent): KubernetesObject | undefined {
  const { disruptionBudget } = intent.spec;
  if (disruptionBudget === null) return undefined;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: workloadMetadata(intent),
    spec: {
      maxUnavailable: disruptionBudget.maxUnavailable,
      selector: podSelector(intent),
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  } satisfies Wire<V1PodDisruptionBudget>;
}
