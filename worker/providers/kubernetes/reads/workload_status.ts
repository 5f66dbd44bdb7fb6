import type { RolloutStatus } from "@mpc/services";
import { POD } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { workloadSelector } from "../objects/ownership.ts";
import { listKinds } from "../objects/remove.ts";
import { progressOf } from "./progress.ts";
import { ROLLOUT_KINDS } from "./rollout_kinds.ts";

/** How a workload stands, read from the cluster; undefined where it has none. */
export async function readRollout(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<RolloutStatus | undefined> {
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const controllers = await listKinds(client, ROLLOUT_KINDS, selection, signal);
  if (controllers.length === 0) return undefined;
  const { items: pods } = await client.list(POD, selection, { signal });
  return progressOf({ controllers, pods, replicaSets: [] }).status;
}
