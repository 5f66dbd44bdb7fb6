import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, isMpcError, MpcError } from "@mpc/domain";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@mpc/proto";

/** Maps the domain's codes to gRPC's (google.rpc.Code). */
const GRPC_CODES: Readonly<Record<ErrorCode, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  OUT_OF_RANGE: Code.OutOfRange,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  PERMISSION_DENIED: Code.PermissionDenied,
  UNAUTHENTICATED: Code.Unauthenticated,
  UNIMPLEMENTED: Code.Unimplemented,
  UNAVAILABLE: Code.Unavailable,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  CANCELLED: Code.Canceled,
  DATA_LOSS: Code.DataLoss,
  INTERNAL: Code.Internal,
};

/** How long a caller should wait before a retry, for codes for which a retry helps. */
const RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  UNAVAILABLE: 1_000,
  RESOURCE_EXHAUSTED: 1_000,
};

/** Reasons for which a retry helps although their code is not in the table above. */
const RETRY_AFTER_REASON_MS: Readonly<Record<string, number>> = { OPERATION_IN_PROGRESS: 1_000 };

/**
 * The error for callers (AIP-193): exactly one `ErrorInfo`, and every invalid field at once.
 *
 * An unexpected error becomes INTERNAL "internal error" with an id. `onUnknown` is called once with
 * the id and the whole error.
 */
export function toConnectError(
  error: unknown,
  onUnknown: (id: string, error: unknown) => void,
  newId: () => string,
): ConnectError {
  if (error instanceof ConnectError) return error;
  if (!isMpcError(error) || error.code === "INTERNAL") {
    const id = newId();
    onUnknown(id, error);
    return toApiError(
      new MpcError("INTERNAL", {
        reason: "INTERNAL",
        message: `internal error (${id})`,
        metadata: { error_id: id },
      }),
    );
  }
  return toApiError(error);
}

/** A domain error in the API's form. */
export function toApiError(error: MpcError): ConnectError {
  const { code, reason, message, metadata, violations, retryable } = error;
  const result = new ConnectError(message, GRPC_CODES[code]);
  result.details.push({
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason, domain: "mpc", metadata: { ...metadata } }),
  });
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, value, rule, hint }) => ({
      field,
      reason: rule,
      description: value === "" ? hint : `${hint} (found '${value}')`,
    }));
    result.details.push({ desc: BadRequestSchema, value: { fieldViolations } });
  }
  const retryAfterMs = Number(
    metadata["retryAfterMs"] ?? RETRY_AFTER_REASON_MS[reason] ?? RETRY_AFTER_MS[code] ?? NaN,
  );
  if (retryable && !Number.isNaN(retryAfterMs)) {
    const seconds = Math.floor(retryAfterMs / 1_000);
    const nanos = (retryAfterMs % 1_000) * 1_000_000;
    const value = { retryDelay: { seconds: BigInt(seconds), nanos } };
    result.details.push({ desc: RetryInfoSchema, value });
  }
  return result;
}
