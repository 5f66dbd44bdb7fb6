import type { V1PodDisruptionBudget } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { podSelector, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** How many pods a drain may take away at once; those that are not ready hold up none. */
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
