import type { Workload } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getExisting } from "../resources/preconditions.ts";

/**
 * Reads one workload, secrets included: the edge redacts.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND`
 */
export function getWorkload(
  { store }: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Stored<Workload>> {
  return getExisting(store.workloads, "workload", name, "get workload", caller);
}
