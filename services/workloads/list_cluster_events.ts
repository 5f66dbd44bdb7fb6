import { environmentIdOf, idOf } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getWorkload } from "./get_workload.ts";
import type { ClusterEvent } from "../ports/mod.ts";
import { assertName } from "../resources/preconditions.ts";

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
