import type { RolloutStatus } from "@mpc/services";
import { listKinds } from "../client/bulk_requests.ts";
import { POD } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { CONTROLLER_KINDS } from "../managed_kinds.ts";
import { workloadSelector } from "../objects/ownership.ts";
import { progressOf } from "../rollout/progress.ts";

/** The progress of a workload's rollout; undefined if it has no controller on the cluster. */
export async function workloadStatus(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<RolloutStatus | undefined> {
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const controllers = await listKinds(client, CONTROLLER_KINDS, selection, signal);
  if (controllers.length === 0) return undefined;
  const { items: pods } = await client.list(POD, selection, { signal });
  return progressOf({ controllers, pods, replicaSets: [] }).status;
}
