import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, notFound } from "../resources/preconditions.ts";

export interface RestartWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
}

const ACTION = "restart workload";

/**
 * Replaces every running copy by a new one with the same spec.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, and what deploying throws
 */
export function restartWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: RestartWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, forceConflicts = false } = request;
  assertName("workload", name, ACTION);
  const method = {
    name: "RestartWorkload",
    body: { name, etag, forceConflicts },
    access: { permission: "workloads.restart", resource: name },
  } as const;
  return mutate(deps, caller, request, method, () =>
    prepareDeployment(deps, caller, {
      name,
      action: ACTION,
      verb: "restart",
      etag,
      forceConflicts,
      timeoutMs: null,
      change: (current) => {
        if (!current) throw notFound("workload", name, ACTION);
        const { labels, annotations, spec } = current;
        return { labels, annotations, spec, restartToken: deps.ids.uuid() };
      },
    }));
}
