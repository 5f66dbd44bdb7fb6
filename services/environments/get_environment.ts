import type { Environment } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { assertName, getExisting } from "../resources/preconditions.ts";

/**
 * Reads one environment.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `ENVIRONMENT_NOT_FOUND`
 */
export async function getEnvironment(
  { store, authorizer }: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Stored<Environment>> {
  assertName("environment", name, "get environment");
  await authorizer.authorize(caller, { permission: "environment.get", resource: name });
  return await getExisting(store.environments, "environment", name, "get environment", caller);
}
