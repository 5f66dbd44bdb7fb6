import type { LogLine, LogQuery } from "@mpc/services";
import { notOnCluster } from "../../provider_errors.ts";
import { POD } from "../client/kinds.ts";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import { workloadSelector } from "../objects/ownership.ts";
import type { WatchedCluster } from "../watch/cluster_watch.ts";
import { containerLogs } from "./container_logs.ts";
import { followLogs } from "./follow_logs.ts";
import { merged } from "./merged.ts";

/**
 * What the pods of a workload print; {@linkcode followLogs} says how long following goes on.
 * @throws {MpcError} NOT_FOUND `NOT_ON_CLUSTER`
 */
export async function* workloadLogs(
  cluster: WatchedCluster,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const { client } = cluster;
  const { signal, replica, follow } = query;
  const selection = { namespace: environment, labelSelector: workloadSelector(workload) };
  const { items } = await client.list(POD, selection, { signal });
  const pods = items.filter(({ metadata }) => replica === null || metadata.name === replica);
  if (pods.length === 0) throw notOnCluster(replica ?? workload);
  if (!follow) {
    yield* merged(
      pods.flatMap((pod) =>
        containerNames(pod).map((container) => containerLogs(client, pod, container, query))
      ),
    );
    return;
  }
  try {
    yield* followLogs(cluster, pods, query);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function containerNames(pod: LiveObject): readonly string[] {
  return ((fieldAt(pod, "spec", "containers") ?? []) as readonly { name: string }[])
    .map(({ name }) => name);
}
