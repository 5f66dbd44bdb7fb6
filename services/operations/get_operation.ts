import type { Operation } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getExisting } from "../resources/preconditions.ts";

/**
 * Reads one operation.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export function getOperation(
  { store }: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Stored<Operation>> {
  return getExisting(store.operations, "operation", name, "get operation", caller);
}
