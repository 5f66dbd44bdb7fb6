import { idOf, type Revision } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { assertName, getExisting } from "../resources/preconditions.ts";
import { getWorkload } from "./read_workloads.ts";

const ACTION = "get revision";

/**
 * Reads one revision of a workload.
 * @returns the revision, and the number of the one that is active
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND` or
 *   `REVISION_NOT_FOUND`
 */
export async function getRevision(
  deps: ServiceDeps,
  caller: Caller,
  name: string,
): Promise<{ readonly revision: Stored<Revision>; readonly activeRevision: number }> {
  assertName("revision", name, ACTION);
  const workload = name.slice(0, -`/revisions/${idOf(name)}`.length);
  const { value: { activeRevision } } = await getWorkload(deps, caller, workload);
  const { revisions } = deps.store;
  return {
    revision: await getExisting(revisions, "revision", name, ACTION, caller),
    activeRevision,
  };
}
