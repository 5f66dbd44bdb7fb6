import {
  environmentIdOf,
  idOf,
  invalidArgument,
  MpcError,
  parseWorkloadSpec,
  type Revision,
  revisionName,
  type Workload,
  type WorkloadSpec,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { fingerprint } from "../mutations/fingerprint.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, notFound } from "../resources/preconditions.ts";
import { pagesOf } from "../resources/read_all.ts";

export interface RollbackWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  /** 0 for the newest earlier one with another spec, the number of replicas aside. */
  readonly revision: number;
  /** As many as now by default, where the revision has a fixed number. */
  readonly replicas?: number | undefined;
}

const ACTION = "roll back workload";

/** Revisions that are read at once: most often one of the newest is the one. */
const PAGE = 20;

/**
 * Deploys the spec of an earlier revision, as a new revision. A scale and a restart make revisions too,
 * so the revision before may have the same spec: it is skipped. A fixed number of
 * replicas is not rolled back, since it follows the load and not the program.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND` or `REVISION_NOT_FOUND`, FAILED_PRECONDITION
 *   `NO_EARLIER_REVISION`, and what deploying throws
 */
export async function rollbackWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: RollbackWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, revision, replicas, forceConflicts = false } = request;
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
    body: { name, etag, revision, replicas: replicas ?? null, forceConflicts },
    access: { permission: "workloads.rollback", resource: name },
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
        const target = await targetRevision(deps, caller, current, revision);
        const spec = parseWorkloadSpec(ACTION, {
          ...target.spec,
          replicas: replicas ?? replicasAfter(current, target.spec),
        });
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
  const present = programOf(workload.spec);
  const earlier = pagesOf(revisions, {
    prefix: `${workload.name}/revisions/`,
    filter: { op: "<", path: ["number"], value: workload.activeRevision },
    orderBy: [{ path: ["number"], descending: true }],
    limit: PAGE,
    signal: caller.signal,
  });
  for await (const page of earlier) {
    const other = page.find(({ value }) => programOf(value.spec) !== present);
    if (other) return other.value;
  }
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_EARLIER_REVISION",
    message: `Cannot ${ACTION} '${
      idOf(workload.name)
    }': no revision before ${workload.activeRevision} has another spec`,
    metadata: { workload: workload.name },
  });
}

/** Charts and autoscaled specs decide their number of replicas themselves; others keep the present one. */
function replicasAfter({ spec, readyReplicas }: Workload, target: WorkloadSpec): number {
  if (spec.chart || target.chart || target.autoscaling) return target.replicas;
  // An autoscaled spec is stored with its minimum, however many replicas run.
  return spec.autoscaling ? Math.max(readyReplicas, spec.replicas) : spec.replicas;
}

/** What a spec says except how many replicas there are. */
function programOf({ replicas: _, ...program }: WorkloadSpec): string {
  return fingerprint(program);
}
