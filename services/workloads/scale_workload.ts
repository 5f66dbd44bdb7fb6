import { parseWorkloadSpec } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName, notFound } from "../resources/preconditions.ts";

export interface ScaleWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  readonly replicas: number;
}

const ACTION = "scale workload";

/**
 * Changes the number of replicas; the rest of the spec stays.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND`, and what
 *   deploying throws
 */
export function scaleWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: ScaleWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, replicas, forceConflicts = false } = request;
  assertName("workload", name, ACTION);
  const method = {
    name: "ScaleWorkload",
    body: { name, etag, replicas, forceConflicts },
    access: { permission: "workloads.scale", resource: name },
  } as const;
  return mutate(deps, caller, request, method, () =>
    prepareDeployment(deps, caller, {
      name,
      action: ACTION,
      verb: "scale",
      etag,
      forceConflicts,
      timeoutMs: null,
      change: (current) => {
        if (!current) throw notFound("workload", name, ACTION);
        const { labels, annotations, restartToken } = current;
        const spec = parseWorkloadSpec(ACTION, { ...current.spec, replicas });
        return { labels, annotations, spec, restartToken };
      },
    }));
}
