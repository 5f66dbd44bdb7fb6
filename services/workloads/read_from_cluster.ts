/** Reads that need the workload's cluster: its pods, their logs, and events. */
import { environmentIdOf, idOf, invalidArgument } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { ClusterEvent, LogLine, LogQuery, PodStatus } from "../ports/mod.ts";
import { assertName } from "../resources/preconditions.ts";
import { getWorkload } from "./read_workloads.ts";

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
  await getWorkload(deps, caller, name, "workload.logs");
  const signal = caller.signal;
  yield* deps.cluster.logs(environmentIdOf(name), idOf(name), { ...query, signal });
}

/**
 * Lists the copies of a workload on the cluster, by name.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, UNAVAILABLE `CLUSTER_UNREACHABLE`
 */
export async function listPods(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<readonly PodStatus[]> {
  assertName("workload", name, "list pods", "parent");
  await getWorkload(deps, caller, name);
  return await deps.cluster.pods(environmentIdOf(name), idOf(name), caller);
}

/**
 * Lists the cluster's events about the objects of a workload, newest last.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, UNAVAILABLE `CLUSTER_UNREACHABLE`
 */
export async function listClusterEvents(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<readonly ClusterEvent[]> {
  assertName("workload", name, "list cluster events", "parent");
  await getWorkload(deps, caller, name);
  return await deps.cluster.events(environmentIdOf(name), idOf(name), caller);
}
