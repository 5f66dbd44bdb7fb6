import type { ProviderCall, RolloutStatus, WorkloadIntent } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { sleepUntil } from "../../sleep_until.ts";
import { POD, REPLICA_SET } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { WORKLOAD_KINDS } from "../managed_kinds.ts";
import { ownedBy } from "../objects/ownership.ts";
import { listKinds } from "../objects/remove.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { trackOwned } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { failureOf } from "./failure.ts";
import { isAwaited } from "./job.ts";
import { progressOf } from "./progress.ts";
import { rolloutError } from "./rollout_error.ts";
import { rolloutKinds } from "./rollout_kinds.ts";
import { steadyAt } from "./steady.ts";
import { Standstill } from "./standstill.ts";
import { gravest, isFailure } from "./verdict.ts";

/**
 * Waits for a rollout on the watches that all share; fails as soon as it is known that it must.
 * @throws as {@linkcode Provider.awaitRollout} says
 */
export async function awaitRollout(
  cluster: WatchedCluster,
  intent: WorkloadIntent,
  call: ProviderCall & { readonly onProgress?: (status: RolloutStatus) => void },
): Promise<RolloutStatus> {
  const { client, watch, clock } = cluster;
  const { signal, onProgress } = call;
  const { environment: namespace, workload, uid, spec } = intent;
  const [replicaSets, pods] = [watch.informer(REPLICA_SET), watch.informer(POD)];
  const tracked = await trackOwned(cluster, rolloutKinds(spec), { namespace, uid }, signal);
  if (tracked.length === 0) return await nothingToRollOut(client, intent, signal);
  const standstill = new Standstill(clock, spec.progressDeadlineMs);
  let told = "";
  for (;;) {
    const changed = watch.changed(uid);
    const controllers = tracked.flatMap((controller) => controller.current() ?? [])
      .filter((it) => it.metadata.deletionTimestamp === undefined && isAwaited(it));
    if (controllers.length === 0) throw notOnCluster(workload);
    const snapshot = { controllers, replicaSets: replicaSets.of(uid), pods: pods.of(uid) };
    const { status, complete } = progressOf(snapshot);
    const failures = [...tracked.map(({ trouble }) => trouble), replicaSets.failure, pods.failure];
    const trouble = troubleOf(failures);
    const waiting = trouble ? "; waiting for the cluster to answer" : "";
    if (`${status.message}${waiting}` !== told) {
      told = `${status.message}${waiting}`;
      onProgress?.({ ...status, message: told });
    }
    const steady = complete ? steadyAt(snapshot, clock.now()) : undefined;
    if (complete && steady === undefined) return status;
    const verdict = gravest([
      ...[failureOf(snapshot, clock.now()) ?? []].flat(),
      steady === undefined ? standstill.verdict(snapshot, status) : { lookAgain: steady },
    ]);
    if (verdict && isFailure(verdict)) {
      throw trouble ?? await rolloutError(client, intent, verdict, signal);
    }
    await sleepUntil(clock, verdict?.lookAgain, signal, changed);
  }
}

/**
 * A chart may have nothing that rolls out.
 * @throws {MpcError} NOT_FOUND `NOT_ON_CLUSTER` where there is nothing of the workload at all
 */
async function nothingToRollOut(
  client: KubeClient,
  { environment: namespace, workload, uid, spec, revision }: WorkloadIntent,
  signal: AbortSignal,
): Promise<RolloutStatus> {
  const selection = { namespace, labelSelector: ownedBy(uid) };
  const objects = spec.chart && await listKinds(client, WORKLOAD_KINDS, selection, signal);
  if (!objects || objects.length === 0) throw notOnCluster(workload);
  return { desired: 0, updated: 0, ready: 0, revision, message: "there is nothing to roll out" };
}
