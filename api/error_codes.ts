import { create, type MessageShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  adviceFor,
  ERROR_DOMAIN,
  type ErrorCode,
  type ErrorReason,
  type ErrorRecord,
  type FieldViolation,
  isMpcError,
  MpcError,
} from "@mpc/domain";
import {
  BadRequestSchema,
  ErrorAdviceSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
  type Status,
  StatusSchema,
} from "@mpc/proto";
import { cutText } from "./status_message.ts";

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
const RETRY_AFTER_REASON_MS: Partial<Record<ErrorReason, number>> = {
  OPERATION_IN_PROGRESS: 1_000,
};

/** Sizes of details, so that they and the message are within 8 kB of trailers in base64. */
const MAX_MESSAGE_BYTES = 3_000;
const MAX_VALUE_BYTES = 300;
const MAX_METADATA_BYTES = 1_000;
const MAX_VIOLATIONS_BYTES = 2_000;
/** The size of a violation without its texts. */
const VIOLATION_BYTES = 12;

const encoder = new TextEncoder();

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

/** The error that an operation ended with, as `google.rpc.Status` (AIP-151). */
export const toStatus = ({ code, reason, message, metadata }: ErrorRecord): Status =>
  create(StatusSchema, {
    code: GRPC_CODES[code],
    message,
    details: [anyPack(ErrorInfoSchema, errorInfo(reason, metadata))],
  });

const errorInfo = (reason: string, metadata: MpcError["metadata"]): ErrorInfo =>
  create(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: cappedMetadata(metadata) });

/**
 * An error of ours as the API tells it, with what the catalogue of reasons says about it. Its details
 * are small enough for the trailers of gRPC.
 */
export function toApiError(error: MpcError): ConnectError {
  const { code, reason, message, metadata, violations, retryable } = error;
  const result = new ConnectError(
    cutText(message, MAX_MESSAGE_BYTES, utf8Bytes),
    GRPC_CODES[code],
  );
  result.details.push({
    desc: ErrorInfoSchema,
    value: errorInfo(reason, metadata),
  });
  // The caller of a cancelled call has gone: advice would only make a flood of resets dearer.
  if (code !== "CANCELLED") {
    const { responsible, nextStep } = adviceFor(error);
    result.details.push({ desc: ErrorAdviceSchema, value: { responsible, nextStep } });
  }
  if (violations.length > 0) {
    result.details.push({ desc: BadRequestSchema, value: cappedViolations(violations) });
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

/** Metadata with values that callers choose. */
function cappedMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  let left = MAX_METADATA_BYTES;
  const capped: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) {
    const short = cutText(value, MAX_VALUE_BYTES, utf8Bytes);
    left -= name.length + utf8Bytes(short);
    if (left < 0) break;
    capped[name] = short;
  }
  return capped;
}

/** As many invalid fields as fit, followed by the number of the others. */
function cappedViolations(violations: readonly FieldViolation[]): MessageShape<
  typeof BadRequestSchema
> {
  const fieldViolations: { field: string; reason: string; description: string }[] = [];
  let left = MAX_VIOLATIONS_BYTES;
  for (const { field, value, rule, hint } of violations) {
    const description = value === "" ? hint : `${hint} (found '${value}')`;
    const violation = {
      field: cutText(field, MAX_VALUE_BYTES, utf8Bytes),
      reason: rule,
      description: cutText(description, MAX_VALUE_BYTES, utf8Bytes),
    };
    left -= utf8Bytes(violation.field + violation.reason + violation.description) + VIOLATION_BYTES;
    if (left < 0) break;
    fieldViolations.push(violation);
  }
  const more = violations.length - fieldViolations.length;
  if (more > 0) {
    const description = `and ${more} more ${more === 1 ? "field is" : "fields are"} not valid`;
    fieldViolations.push({ field: "", reason: "MORE_FIELDS", description });
  }
  return create(BadRequestSchema, { fieldViolations });
}

const utf8Bytes = (text: string): number => encoder.encode(text).length;
