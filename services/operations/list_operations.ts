import { type Operation, OPERATION_FIELDS } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";

/** Lists operations, the newest first where nothing else is asked for. */
export function listOperations(
  { store, clock }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<Operation>> {
  return listPage(
    {
      collection: store.operations,
      now: clock.now(),
      fields: OPERATION_FIELDS,
      prefix: "",
      defaultOrder: [{ path: ["createTime"], descending: true }],
      action: "list operations",
    },
    caller,
    request,
  );
}
