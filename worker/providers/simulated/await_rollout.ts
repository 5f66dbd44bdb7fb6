import type { RolloutCall, RolloutStatus, WorkloadIntent } from "@mpc/services";
import { notOnCluster } from "../provider_errors.ts";
import { reportChanges } from "../report_changes.ts";
import { rolloutAt } from "./rollout.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";
import { workloadKey } from "./simulated_objects.ts";

/** Waits until the rollout of a workload is complete, or fails. */
export async function awaitRollout(
  cluster: SimulatedCluster,
  intent: WorkloadIntent,
  { signal, onProgress }: RolloutCall,
): Promise<RolloutStatus> {
  const report = reportChanges(onProgress, ({ message }) => message);
  for (;;) {
    const changed = cluster.changed;
    const workload = cluster.workload(workloadKey(intent.environment, intent.workload));
    if (!workload || workload.intent.uid !== intent.uid) throw notOnCluster(intent.workload);
    const rollout = rolloutAt(workload, cluster.delays, cluster.now());
    report(rollout.status);
    if (rollout.failure) throw rollout.failure;
    if (rollout.complete) return rollout.status;
    await cluster.sleepUntil(rollout.nextChange, signal, changed);
  }
}
