import { type Environment, ENVIRONMENT_FIELDS } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";

/** Lists environments, by name where nothing else is asked for. */
export function listEnvironments(
  { store, clock }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<Environment>> {
  return listPage(
    {
      collection: store.environments,
      now: clock.now(),
      fields: ENVIRONMENT_FIELDS,
      prefix: "",
      defaultOrder: [],
      action: "list environments",
    },
    caller,
    request,
  );
}
