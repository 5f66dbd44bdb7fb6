import { environmentIdOf, idOf, invalidArgument } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getWorkload } from "./get_workload.ts";
import type { LogLine, LogQuery } from "../ports/mod.ts";

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
