import type { ConnectError } from "@connectrpc/connect";
import { type ErrorCode, MpcError } from "@mpc/domain";
import { toApiError } from "./error_codes.ts";

/** Why a request does not reach its service, and the code for its caller. */
const CODES = {
  NO_CALL: "INVALID_ARGUMENT",
  UNREADABLE_MESSAGE: "INVALID_ARGUMENT",
  MESSAGE_COUNT: "UNIMPLEMENTED",
  INVALID_TIMEOUT: "INVALID_ARGUMENT",
  MESSAGE_TOO_LARGE: "RESOURCE_EXHAUSTED",
  BODY_TIMEOUT: "DEADLINE_EXCEEDED",
  TOO_MUCH_AT_ONCE: "RESOURCE_EXHAUSTED",
  UNSUPPORTED_ENCODING: "UNIMPLEMENTED",
  // The protocols prescribe INTERNAL, which is for faults of the server.
  UNEXPECTED_COMPRESSION: "INVALID_ARGUMENT",
} as const satisfies Record<string, ErrorCode>;

export type UnreadableReason = keyof typeof CODES;

/**
 * The error for a caller's mistake, the same at both doors; both libraries would report INTERNAL.
 */
export function unreadableRequest(
  reason: UnreadableReason,
  why: string,
  cause?: unknown,
): ConnectError {
  return toApiError(
    new MpcError(CODES[reason], {
      reason,
      // The same bytes would fail again.
      retryable: reason === "BODY_TIMEOUT" || reason === "TOO_MUCH_AT_ONCE",
      message: `Cannot read the request: ${why}`,
      cause,
    }),
  );
}
