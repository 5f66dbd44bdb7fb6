import { isMpcError, type MpcError } from "@mpc/domain";

/** Whether an error means that a cluster cannot be read, which is not a bug of ours. */
export function isUnreadable(error: unknown): error is MpcError {
  return isMpcError(
    error,
    "UNAVAILABLE",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
  );
}
