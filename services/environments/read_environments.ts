import { type Environment, ENVIRONMENT_FIELDS, LIST_ORDERS } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";
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
  await authorizer.authorize(caller, { permission: "environments.get", resource: name });
  return await getExisting(store.environments, "environment", name, "get environment", caller);
}

/** Lists environments, by name unless another order is requested. */
export async function listEnvironments(
  { store, clock, authorizer }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<Environment>> {
  return await listPage(
    {
      collection: store.environments,
      now: clock.now(),
      fields: ENVIRONMENT_FIELDS,
      orders: LIST_ORDERS.environments,
      visible: await authorizer.visible(caller, "environments.get"),
      prefix: "",
      defaultOrder: [],
      action: "list environments",
    },
    caller,
    request,
  );
}
