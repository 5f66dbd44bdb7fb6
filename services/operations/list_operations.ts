import { type Operation, OPERATION_FIELDS } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";

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
      visible: await authorizer.visible(caller, "operation.get"),
      prefix: "",
      defaultOrder: [{ path: ["createTime"], descending: true }],
      action: "list operations",
    },
    caller,
    request,
  );
}
