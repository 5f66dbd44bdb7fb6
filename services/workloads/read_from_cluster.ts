/** Reads that need the workload's cluster: its pods, their logs, and events. */
import { environmentIdOf, idOf, invalidArgument } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { ClusterEvent, LogLine, LogQuery, PodStatus } from "../ports/mod.ts";
import {
  type ClusterListRequest,
  type ClusterListResult,
  listOnClusters,
} from "./list_on_clusters.ts";
import { getWorkload } from "./read_workloads.ts";

/** How long a stream of logs goes on after the caller has lost the permission. */
const DECIDE_AGAIN_MS = 5_000;

/**
 * Yields the log lines of the replicas of a workload.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND` or `NOT_ON_CLUSTER`, UNAVAILABLE
 *   `CLUSTER_UNREACHABLE`
 */
export async function* streamLogs(
  deps: ServiceDeps,
  caller: Caller,
  request: { readonly name: string } & Omit<LogQuery, "signal">,
): AsyncGenerator<LogLine> {
  const { name, ...query } = request;
  if (query.tail !== null && query.tail < 0) {
    throw invalidArgument("stream logs", [{
      field: "tail",
      value: String(query.tail),
      rule: "MINIMUM",
      hint: "must be a number of lines, or 0 for all",
    }]);
  }
  await getWorkload(deps, caller, name, "workloads.logs");
  const { clock, authorizer } = deps;
  let decided = clock.monotonic();
  const signal = caller.signal;
  const lines = deps.cluster.logs(environmentIdOf(name), idOf(name), { ...query, signal });
  for await (const line of lines) {
    if (clock.monotonic() - decided >= DECIDE_AGAIN_MS) {
      await authorizer.authorize(caller, { permission: "workloads.logs", resource: name });
      decided = clock.monotonic();
    }
    yield line;
  }
}

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
