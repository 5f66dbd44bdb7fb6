import { LIST_ORDERS, type Operation, OPERATION_FIELDS } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";
import { assertName, notFound } from "../resources/preconditions.ts";

/**
 * Reads one operation.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `OPERATION_NOT_FOUND`
 */
export async function getOperation(
  { store, authorizer }: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<Stored<Operation>> {
  assertName("operation", name, "get operation");
  const stored = await store.operations.get(name, { signal: caller.signal });
  // A missing operation has no target: only callers that may see everything learn that it is
  // missing.
  const resource = stored?.value.target ?? null;
  const actor = stored && { actor: stored.value.actor };
  await authorizer.authorize(caller, {
    permission: "operations.get",
    resource,
    named: name,
    ...actor,
  });
  if (stored) return stored;
  throw notFound("operation", name, "get operation");
}

/** Lists operations, newest first unless another order is requested. */
export async function listOperations(
  { store, clock, authorizer }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<Operation>> {
  return await listPage(
    {
      collection: store.operations,
      now: clock.now(),
      fields: OPERATION_FIELDS,
      orders: LIST_ORDERS.operations,
      visible: await authorizer.visible(caller, "operations.get"),
      prefix: "",
      defaultOrder: [{ path: ["createTime"], descending: true }],
      action: "list operations",
    },
    caller,
    request,
  );
}
