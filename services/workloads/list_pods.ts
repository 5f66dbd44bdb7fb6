import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { PodStatus } from "../ports/mod.ts";
import {
  type ClusterListRequest,
  type ClusterListResult,
  listOnClusters,
} from "./list_on_clusters.ts";

/**
 * Lists the copies of a workload, or of many, as they are on the clusters, by name.
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` for one workload, and what
 *   {@linkcode listOnClusters} throws
 */
export function listPods(
  deps: ServiceDeps,
  caller: Caller,
  request: ClusterListRequest,
): Promise<ClusterListResult<PodStatus>> {
  return listOnClusters(deps, caller, {
    action: "list pods",
    read: (environment, workload, call) => deps.cluster.pods(environment, workload, call),
    keysOf: ({ name }) => [name],
    keys: 1,
  }, request);
}
