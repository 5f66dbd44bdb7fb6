import type { Environment } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getExisting } from "../resources/preconditions.ts";

/**
 * Reads one environment.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `ENVIRONMENT_NOT_FOUND`
 */
export function getEnvironment(
  { store }: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Stored<Environment>> {
  return getExisting(store.environments, "environment", name, "get environment", caller);
}
