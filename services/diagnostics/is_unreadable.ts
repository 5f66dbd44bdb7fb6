import { isMpcError, type MpcError } from "@mpc/domain";

/** Whether an error says that a cluster cannot be read, which is no fault of this program. */
export function isUnreadable(error: unknown): error is MpcError {
  return isMpcError(
    error,
    "UNAVAILABLE",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
  );
}
