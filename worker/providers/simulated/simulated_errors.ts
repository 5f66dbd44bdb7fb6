/** Errors that only the simulated cluster has. */
import { DEFAULT_CLUSTER, MpcError } from "@mpc/domain";

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
    reason: "CLUSTER_FAILED",
    message: `Cannot apply '${workload}': the cluster failed (flaky image, try ${attempt})`,
  });

export const stateUnavailable = (cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot reach the simulated cluster: ${
      cause instanceof Error ? cause.message : String(cause)
    }`,
    cause,
  });
