import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { ClusterEvent } from "../ports/mod.ts";
import {
  type ClusterListRequest,
  type ClusterListResult,
  listOnClusters,
} from "./list_on_clusters.ts";

/**
 * Lists what clusters noticed about the objects of a workload, or of many, the latest last.
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` for one workload, and what
 *   {@linkcode listOnClusters} throws
 */
export function listClusterEvents(
  deps: ServiceDeps,
  caller: Caller,
  request: ClusterListRequest,
): Promise<ClusterListResult<ClusterEvent>> {
  return listOnClusters(deps, caller, {
    action: "list cluster events",
    read: (environment, workload, call) => deps.cluster.events(environment, workload, call),
    // The text tells events of one moment apart.
    keysOf: ({ time, object, reason, message }) => [time, object, reason, message],
    keys: 4,
  }, request);
}
