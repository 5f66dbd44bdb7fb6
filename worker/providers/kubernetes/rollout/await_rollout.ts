import type { Clock, ProviderCall, RolloutStatus, WorkloadIntent } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { sleepUntil } from "../../sleep_until.ts";
import { DAEMON_SET, DEPLOYMENT, POD, REPLICA_SET, STATEFUL_SET } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { listKinds } from "../objects/remove.ts";
import type { ClusterWatch } from "../watch/cluster_watch.ts";
import { trackOwned } from "../watch/tracked_object.ts";
import { troubleOf } from "../watch/trouble.ts";
import { failureOf } from "./failure.ts";
import { progressOf } from "./progress.ts";
import { rolloutError } from "./rollout_error.ts";

/** What rolls pods out. */
export const ROLLOUT_KINDS: readonly ObjectKind[] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

/**
 * Waits for a rollout on the watches that all share; fails as soon as it is known that it must.
 * @throws as {@linkcode Provider.awaitRollout} says
 */
export async function awaitRollout(
  cluster: { readonly client: KubeClient; readonly watch: ClusterWatch; readonly clock: Clock },
  intent: WorkloadIntent,
  call: ProviderCall & { readonly onProgress?: (status: RolloutStatus) => void },
): Promise<RolloutStatus> {
  const { client, watch, clock } = cluster;
  const { signal, onProgress } = call;
  const { environment: namespace, workload, uid } = intent;
  const made = [watch.informer(REPLICA_SET), watch.informer(POD)] as const;
  const tracked = await trackOwned(cluster, ROLLOUT_KINDS, { namespace, uid }, signal);
  let told = "";
  for (;;) {
    const changed = watch.changed(uid);
    const controllers = tracked.flatMap((controller) => controller.current() ?? []);
    if (controllers.length === 0) throw notOnCluster(workload);
    const [replicaSets, pods] = [made[0].of(uid), made[1].of(uid)];
    const snapshot = { controllers, replicaSets, pods };
    const { status, complete } = progressOf(snapshot);
    const trouble = troubleOf([
      ...tracked.map(({ trouble }) => trouble),
      made[0].failure,
      made[1].failure,
    ]);
    const message = trouble
      ? `${status.message}; waiting for the cluster to answer`
      : status.message;
    if (message !== told) {
      told = message;
      onProgress?.({ ...status, message });
    }
    if (complete) return status;
    const verdict = failureOf(snapshot, clock.now());
    if (verdict && !("lookAgain" in verdict)) {
      throw await rolloutError(client, { namespace, workload }, verdict, signal);
    }
    await sleepUntil(clock, verdict?.lookAgain, signal, changed);
  }
}

/** How a workload stands, read from the cluster; undefined where it has none. */
export async function readRollout(
  client: KubeClient,
  namespace: string,
  labelSelector: string,
  signal: AbortSignal,
): Promise<RolloutStatus | undefined> {
  const selection = { namespace, labelSelector };
  const controllers = await listKinds(client, ROLLOUT_KINDS, selection, signal);
  if (controllers.length === 0) return undefined;
  const { items: pods } = await client.list(POD, selection, { signal });
  return progressOf({ controllers, pods, replicaSets: [] }).status;
}
