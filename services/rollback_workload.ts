import { idOf, MpcError, type Revision, revisionName, type Workload } from "@mpc/domain";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "./mutation.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, getExisting, notFound } from "./preconditions.ts";

export interface RollbackWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Takes fields over that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  /** 0 for the one before the active one. */
  readonly revision: number;
}

const ACTION = "roll back workload";

/**
 * Deploys the spec of an earlier revision, as a new revision.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND` or `REVISION_NOT_FOUND`, FAILED_PRECONDITION
 *   `NO_EARLIER_REVISION`, and what deploying throws
 */
export function rollbackWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: RollbackWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, revision, forceConflicts = false } = request;
  assertName("workload", name, ACTION);
  const method = { name: "RollbackWorkload", body: { name, etag, revision, forceConflicts } };
  return mutate(deps, caller, request, method, () =>
    prepareDeployment(deps, caller, {
      name,
      action: ACTION,
      verb: "rollback",
      etag,
      forceConflicts,
      timeoutMs: null,
      change: async (current) => {
        if (!current) throw notFound("workload", name, ACTION);
        const { spec } = await targetRevision(deps, caller, current, revision);
        const { labels, annotations, restartToken } = current;
        return { labels, annotations, spec, restartToken };
      },
    }));
}

async function targetRevision(
  deps: ServiceDeps,
  caller: Caller,
  workload: Workload,
  wanted: number,
): Promise<Revision> {
  const { revisions } = deps.store;
  if (wanted > 0) {
    const name = revisionName(workload.name, wanted);
    return (await getExisting(revisions, "revision", name, ACTION, caller)).value;
  }
  const page = await revisions.list({
    prefix: `${workload.name}/revisions/`,
    filter: { op: "<", path: ["number"], value: workload.activeRevision },
    orderBy: [{ path: ["number"], descending: true }],
    limit: 1,
    signal: caller.signal,
  });
  const before = page.items[0];
  if (before) return before.value;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_EARLIER_REVISION",
    message: `Cannot ${ACTION} '${
      idOf(workload.name)
    }': there is no revision before ${workload.activeRevision}`,
    metadata: { workload: workload.name },
  });
}
