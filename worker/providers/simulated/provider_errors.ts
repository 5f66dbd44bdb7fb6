import { DEFAULT_CLUSTER, MpcError } from "@mpc/domain";

export const ownedByAnother = (object: string): MpcError =>
  new MpcError("ALREADY_EXISTS", {
    reason: "OWNED_BY_ANOTHER",
    message: `Cannot change '${object}': it belongs to somebody else on the cluster`,
    metadata: { object },
  });

export const noNamespace = (environment: string): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "NO_NAMESPACE",
    message: `Cannot change environment '${environment}': its namespace is not there`,
    metadata: { environment },
  });

export const unknownCluster = (environment: string, cluster: string): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "UNKNOWN_CLUSTER",
    message:
      `Cannot create environment '${environment}': there is no cluster '${cluster}', only the simulated one, '${DEFAULT_CLUSTER}'`,
    metadata: { environment, cluster },
  });

export const chartsUnsupported = (workload: string): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "CHARTS_UNSUPPORTED",
    message:
      `Cannot deploy '${workload}': the simulated cluster renders no charts; name an image, or use a Kubernetes cluster`,
    metadata: { workload },
  });

export const beingDeleted = (object: string): MpcError =>
  new MpcError("ABORTED", {
    reason: "CLUSTER_CONFLICT",
    message: `Cannot change '${object}': it is being deleted`,
    metadata: { object },
  });

export const notOnCluster = (workload: string): MpcError =>
  new MpcError("NOT_FOUND", {
    reason: "NOT_ON_CLUSTER",
    message: `Cannot find '${workload}' on the cluster: there is nothing of it`,
  });

export const quotaExceeded = (environment: string, resource: string, limit: string): MpcError =>
  new MpcError("RESOURCE_EXHAUSTED", {
    reason: "QUOTA_EXCEEDED",
    message:
      `Cannot apply the workload: environment '${environment}' may use ${limit} of ${resource}`,
    retryable: false,
    metadata: { environment, resource, limit },
  });

export const flaky = (workload: string, attempt: number): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot apply '${workload}': the cluster did not answer (flaky image, try ${attempt})`,
  });

export const stateUnavailable = (cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot reach the simulated cluster: ${
      cause instanceof Error ? cause.message : String(cause)
    }`,
    cause,
  });

/** @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` where the signal is aborted */
export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new MpcError("CANCELLED", {
    reason: "ABORTED_BY_CALLER",
    message: "Cannot go on with the call: the caller aborted",
    cause: signal.reason,
  });
}
