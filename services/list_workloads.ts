import { type Workload, WORKLOAD_FIELDS } from "@mpc/domain";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import { getEnvironment } from "./get_environment.ts";
import { listPage, type ListRequest, type ListResult } from "./list_page.ts";

/** Stands for every environment (AIP-159). */
const ALL = "environments/-";

/**
 * Lists the workloads of one environment, or of all by `environments/-`.
 * @throws {MpcError} NOT_FOUND `ENVIRONMENT_NOT_FOUND`, and what {@linkcode listPage} throws
 */
export async function listWorkloads(
  deps: ServiceDeps,
  caller: Caller,
  request: ListRequest & { readonly parent: string },
): Promise<ListResult<Workload>> {
  const { parent } = request;
  if (parent !== ALL) await getEnvironment(deps, caller, parent);
  return await listPage(
    {
      collection: deps.store.workloads,
      now: deps.clock.now(),
      fields: WORKLOAD_FIELDS,
      prefix: parent === ALL ? "" : `${parent}/workloads/`,
      defaultOrder: [],
      action: "list workloads",
    },
    caller,
    request,
  );
}
