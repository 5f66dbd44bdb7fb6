import { parseWorkloadInput, workloadName } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { keepRedacted } from "./keep_redacted.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { prepareDeployment } from "./prepare_deployment.ts";
import { assertName } from "../resources/preconditions.ts";

/** The fields in the API's structure, in camelCase; validated here. */
export interface DeployWorkloadRequest extends MutationOptions {
  /** `environments/{environment}` */
  readonly parent: string;
  readonly workloadId: string;
  readonly workload: unknown;
  readonly etag: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  /** Null for the default. */
  readonly timeoutMs: number | null;
}

const ACTION = "deploy workload";

/**
 * Creates a workload, or deploys a new spec to it, from any state.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `ENVIRONMENT_NOT_FOUND`,
 *   FAILED_PRECONDITION `ENVIRONMENT_NOT_READY`, RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`, ABORTED
 *   `ETAG_MISMATCH`, and what {@linkcode mutate} throws
 */
export function deployWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: DeployWorkloadRequest,
): Promise<MutationResult> {
  const { parent, workloadId, workload, etag, timeoutMs, forceConflicts = false } = request;
  assertName("environment", parent, ACTION, "parent");
  const { id, ...wanted } = parseWorkloadInput(ACTION, { workloadId, workload });
  const name = workloadName(parent.slice("environments/".length), id);
  const method = {
    name: "DeployWorkload",
    body: { parent, id, wanted, etag, timeoutMs, forceConflicts },
    access: { permission: "workloads.deploy", resource: name },
  } as const;
  return mutate(deps, caller, request, method, () =>
    prepareDeployment(deps, caller, {
      name,
      action: ACTION,
      verb: "deploy",
      etag,
      forceConflicts,
      timeoutMs,
      change: (current) => ({
        ...wanted,
        spec: keepRedacted(ACTION, wanted.spec, current?.spec),
        restartToken: current?.restartToken ?? "",
      }),
    }));
}
