/** Errors that all providers share. */
import { abortedByCaller, madeMetadata, MpcError, uncheckedError } from "@mpc/domain";

/** @param owner who has made the object, for instance `kubectl-create`; empty if that is not known */
export const ownedByAnother = (object: string, owner = ""): MpcError =>
  new MpcError("ALREADY_EXISTS", {
    reason: "OWNED_BY_ANOTHER",
    message: `Cannot change '${object}': it is owned by somebody else on the cluster${
      owner && ` (${owner})`
    }`,
    metadata: { object, ...(owner && { owner }) },
  });

export const noNamespace = (environment: string): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "NO_NAMESPACE",
    message: `Cannot change environment '${environment}': its namespace is not there`,
    metadata: { environment },
  });

type UnknownCluster = (environment: string, cluster: string, known: readonly string[]) => MpcError;

const unknownCluster =
  (problem: (environment: string, cluster: string, known: string) => string): UnknownCluster =>
  (environment, cluster, known) =>
    new MpcError("FAILED_PRECONDITION", {
      reason: "UNKNOWN_CLUSTER",
      message: `Cannot use environment '${environment}': ${
        problem(environment, cluster, known.map((name) => `'${name}'`).join(", "))
      }`,
      metadata: { environment, cluster },
    });

export const noSuchCluster = unknownCluster((_, cluster, known) =>
  `there is no cluster '${cluster}', only ${known}`
);

/** The record of the environment names a cluster that is no longer configured. */
export const clusterGone = unknownCluster((environment, cluster, known) =>
  `its cluster '${cluster}' is not among ${known}; give workers that cluster again, or forget the environment by 'mpctl env delete ${environment} --force --abandon'`
);

/** The access file names a cluster that reviews no tokens. */
export const reviewsNowhere = (cluster: string, known: readonly string[]): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "UNKNOWN_CLUSTER",
    message: `Cannot review a token: there is no cluster '${cluster}' that could, ` +
      `only ${known.map((name) => `'${name}'`).join(", ") || "a simulated one"}; ` +
      "correct 'serviceAccounts' in the access file, or give workers that cluster",
    metadata: { cluster },
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
    message: `Cannot find '${workload}' on the cluster: it has no objects there`,
  });

/** The same error, which also says what the failed call may have changed on the cluster. */
export const withMade = (error: MpcError, objects: readonly string[]): MpcError =>
  uncheckedError(error.code, error.reason, {
    message: error.message,
    retryable: error.retryable,
    metadata: { ...error.metadata, ...madeMetadata(objects) },
    violations: error.violations,
    cause: error.cause,
  });

export const aborted = (signal: AbortSignal): MpcError =>
  abortedByCaller("go on with the call", signal.reason);

/** @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` if the signal is aborted */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw aborted(signal);
}
