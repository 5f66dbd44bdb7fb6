import type { ConnectError } from "@connectrpc/connect";
import { errorFor, type ErrorReason } from "@mpc/domain";
import { toApiError } from "./error_codes.ts";

/** Why a request is not even asked of a service. */
export type UnreadableReason = Extract<
  ErrorReason,
  | "NO_CALL"
  | "UNREADABLE_MESSAGE"
  | "MESSAGE_COUNT"
  | "INVALID_TIMEOUT"
  | "MESSAGE_TOO_LARGE"
  | "BODY_TIMEOUT"
  | "TOO_MUCH_AT_ONCE"
  | "UNSUPPORTED_ENCODING"
  | "UNEXPECTED_COMPRESSION"
>;

/**
 * The error for a caller's mistake, the same at both doors; both libraries would report INTERNAL.
 */
export function unreadableRequest(
  reason: UnreadableReason,
  why: string,
  cause?: unknown,
): ConnectError {
  return toApiError(
    errorFor(reason, {
      // The same bytes would fail again.
      retryable: reason === "BODY_TIMEOUT" || reason === "TOO_MUCH_AT_ONCE",
      message: `Cannot read the request: ${why}`,
      cause,
    }),
  );
}
