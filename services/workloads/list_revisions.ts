import { LIST_ORDERS, type Revision } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { getWorkload } from "./read_workloads.ts";
import { listPage, type ListResult } from "../resources/list_page.ts";
import { assertName } from "../resources/preconditions.ts";

const ACTION = "list revisions";

/**
 * Lists the revisions of a workload, newest first.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, and what {@linkcode listPage} throws
 */
export async function listRevisions(
  deps: ServiceDeps,
  caller: Caller,
  request: { readonly parent: string; readonly pageSize: number; readonly pageToken: string },
): Promise<ListResult<Revision> & { readonly activeRevision: number }> {
  assertName("workload", request.parent, ACTION, "parent");
  const { value } = await getWorkload(deps, caller, request.parent);
  const page = await listPage(
    {
      collection: deps.store.revisions,
      now: deps.clock.now(),
      fields: {},
      orders: LIST_ORDERS.revisions,
      // Permission to read the workload includes its revisions.
      visible: null,
      prefix: `${request.parent}/revisions/`,
      defaultOrder: [{ path: ["number"], descending: true }],
      action: ACTION,
    },
    caller,
    { ...request, filter: "", orderBy: "" },
  );
  return { ...page, activeRevision: value.activeRevision };
}
