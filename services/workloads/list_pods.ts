import { environmentIdOf, idOf } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getWorkload } from "./get_workload.ts";
import type { PodStatus } from "../ports/mod.ts";
import { assertName } from "../resources/preconditions.ts";

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
