import { parseCpuMillis, parseMemoryBytes } from "./quantity.ts";
import type { WorkloadSpec } from "./workload.ts";

/** What a copy of a workload requests if its spec says nothing; environments set it as a default. */
export const DEFAULT_REQUESTS = { cpu: "100m", memory: "128Mi" } as const;

/**
 * What the copies of a workload request together, which its environment's quota counts: millis of a
 * core, and bytes. An autoscaled workload counts with its maximum. A chart has no copies of its own:
 * only the cluster knows what it requests.
 */
export function requestsOf(
  { autoscaling, replicas, resources }: WorkloadSpec,
): { readonly cpu: number; readonly memory: number } {
  const copies = autoscaling?.maxReplicas ?? replicas;
  return {
    cpu: copies * (parseCpuMillis(resources.cpu ?? DEFAULT_REQUESTS.cpu) ?? 0),
    memory: copies * (parseMemoryBytes(resources.memory ?? DEFAULT_REQUESTS.memory) ?? 0),
  };
}
