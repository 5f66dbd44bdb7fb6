import type { Workload } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { assertName, getExisting } from "../resources/preconditions.ts";

/**
 * Reads one workload including its secrets, which the API redacts.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND`
 */
export async function getWorkload(
  { store, authorizer }: ServiceDeps,
  caller: Caller,
  name: string,
  permission: "workload.get" | "workload.logs" = "workload.get",
): Promise<Stored<Workload>> {
  assertName("workload", name, "get workload");
  await authorizer.authorize(caller, { permission, resource: name });
  return await getExisting(store.workloads, "workload", name, "get workload", caller);
}
