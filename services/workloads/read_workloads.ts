import { LIST_ORDERS, type Workload, WORKLOAD_FIELDS } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";
import { assertName, getExisting } from "../resources/preconditions.ts";

/**
 * Reads one workload including its secrets, which the API redacts.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND`
 */
export async function getWorkload(
  { store, authorizer }: ServiceDeps,
  caller: Caller,
  name: string,
  permission: "workloads.get" | "workloads.logs" = "workloads.get",
): Promise<Stored<Workload>> {
  assertName("workload", name, "get workload");
  await authorizer.authorize(caller, { permission, resource: name });
  return await getExisting(store.workloads, "workload", name, "get workload", caller);
}

/**
 * Checks that there is an environment whose workloads the caller may list.
 * @throws {MpcError} NOT_FOUND `ENVIRONMENT_NOT_FOUND`
 */
export async function assertParent(
  { store, authorizer }: ServiceDeps,
  caller: Caller,
  parent: string,
): Promise<void> {
  await authorizer.authorize(caller, { permission: "workloads.get", resource: parent });
  await getExisting(store.environments, "environment", parent, "get environment", caller);
}

/** The parent that stands for every environment (AIP-159). */
const ALL = "environments/-";

const ACTION = "list workloads";

/**
 * Lists the workloads of one environment; `environments/-` lists those of all environments.
 * @throws {MpcError} NOT_FOUND `ENVIRONMENT_NOT_FOUND`, and what {@linkcode listPage} throws
 */
export async function listWorkloads(
  deps: ServiceDeps,
  caller: Caller,
  request: ListRequest & { readonly parent: string },
): Promise<ListResult<Workload>> {
  const { parent } = request;
  if (parent !== ALL) {
    assertName("environment", parent, ACTION, "parent");
    await assertParent(deps, caller, parent);
  }
  return await listPage(
    {
      collection: deps.store.workloads,
      now: deps.clock.now(),
      fields: WORKLOAD_FIELDS,
      orders: LIST_ORDERS.workloads,
      visible: await deps.authorizer.visible(caller, "workloads.get"),
      prefix: parent === ALL ? "" : `${parent}/workloads/`,
      defaultOrder: [],
      action: ACTION,
    },
    caller,
    request,
  );
}
