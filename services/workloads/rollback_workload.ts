import {
  environmentIdOf,
  idOf,
  invalidArgument,
  MpcError,
  type Revision,
  revisionName,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, notFound } from "../resources/preconditions.ts";

export interface RollbackWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  /** 0 for the revision before the active one. */
  readonly revision: number;
}

const ACTION = "roll back workload";

/**
 * Deploys the spec of an earlier revision, as a new revision.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND` or `REVISION_NOT_FOUND`, FAILED_PRECONDITION
 *   `NO_EARLIER_REVISION`, and what deploying throws
 */
export async function rollbackWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: RollbackWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, revision, forceConflicts = false } = request;
  assertName("workload", name, ACTION);
  if (revision < 0) {
    throw invalidArgument(ACTION, [{
      field: "revision",
      value: String(revision),
      rule: "MIN",
      hint: "must be a revision's number, or 0 for the previous one",
    }]);
  }
  const method = {
    name: "RollbackWorkload",
    body: { name, etag, revision, forceConflicts },
    access: { permission: "workload.deploy", resource: name },
  } as const;
  return await mutate(deps, caller, request, method, () =>
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

const historyCommand = ({ name }: Workload) =>
  `mpctl workload history ${idOf(name)} --env ${environmentIdOf(name)}`;

async function targetRevision(
  deps: ServiceDeps,
  caller: Caller,
  workload: Workload,
  wanted: number,
): Promise<Revision> {
  const { revisions } = deps.store;
  if (wanted > 0) {
    const name = revisionName(workload.name, wanted);
    const revision = await revisions.get(name, { signal: caller.signal });
    if (revision) return revision.value;
    throw new MpcError("NOT_FOUND", {
      reason: "REVISION_NOT_FOUND",
      message: `Cannot ${ACTION} '${idOf(workload.name)}': it has no revision ${wanted}; see '${
        historyCommand(workload)
      }'`,
      metadata: { resource: name },
    });
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
