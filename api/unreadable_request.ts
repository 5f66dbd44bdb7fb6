import type { ConnectError } from "@connectrpc/connect";
import { type ErrorCode, MpcError } from "@mpc/domain";
import { toApiError } from "./error_codes.ts";

/** Why a request is not even asked of a service, and the code that its caller is told. */
const CODES = {
  NO_CALL: "INVALID_ARGUMENT",
  UNREADABLE_MESSAGE: "INVALID_ARGUMENT",
  MESSAGE_COUNT: "UNIMPLEMENTED",
  INVALID_TIMEOUT: "INVALID_ARGUMENT",
  MESSAGE_TOO_LARGE: "RESOURCE_EXHAUSTED",
  BODY_TIMEOUT: "DEADLINE_EXCEEDED",
  TOO_MUCH_AT_ONCE: "RESOURCE_EXHAUSTED",
  UNSUPPORTED_ENCODING: "UNIMPLEMENTED",
  // The protocols say INTERNAL, which is for faults of the server.
  UNEXPECTED_COMPRESSION: "INVALID_ARGUMENT",
} as const satisfies Record<string, ErrorCode>;

export type UnreadableReason = keyof typeof CODES;

/** The caller's fault, the same at both doors; both libraries would tell INTERNAL of most of it. */
export function unreadableRequest(
  reason: UnreadableReason,
  why: string,
  cause?: unknown,
): ConnectError {
  return toApiError(
    new MpcError(CODES[reason], {
      reason,
      // The same bytes are as wrong the next time.
      retryable: reason === "BODY_TIMEOUT" || reason === "TOO_MUCH_AT_ONCE",
      message: `Cannot read the request: ${why}`,
      cause,
    }),
  );
}
