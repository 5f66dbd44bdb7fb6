import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, notFound } from "../resources/preconditions.ts";

export interface ReconcileWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
}

const ACTION = "reconcile workload";

/**
 * Reverts changes that others have made on the cluster: applies the same spec again, and takes over
 * every field that somebody else manages now.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, and what deploying throws
 */
export function reconcileWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: ReconcileWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag } = request;
  assertName("workload", name, ACTION);
  const method = {
    name: "ReconcileWorkload",
    body: { name, etag },
    access: { permission: "workloads.reconcile", resource: name },
  } as const;
  return mutate(deps, caller, request, method, () =>
    prepareDeployment(deps, caller, {
      name,
      action: ACTION,
      verb: "reconcile",
      etag,
      timeoutMs: null,
      forceConflicts: true,
      change: (current) => {
        if (!current) throw notFound("workload", name, ACTION);
        const { labels, annotations, spec, restartToken } = current;
        return { labels, annotations, spec, restartToken };
      },
    }));
}
