import { type Environment, ENVIRONMENT_FIELDS } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";

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
      visible: await authorizer.visible(caller, "environment.get"),
      prefix: "",
      defaultOrder: [],
      action: "list environments",
    },
    caller,
    request,
  );
}
