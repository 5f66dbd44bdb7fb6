import { ConnectError } from "@connectrpc/connect";
import { ERROR_CODES, type ErrorCode, errorFromRecord, MpcError } from "@mpc/domain";
import { type ErrorRecord, ErrorRecordSchema } from "@mpc/proto";

/** The error that a worker returned; undefined if it did not answer. */
export function answeredError(error: unknown): MpcError | undefined {
  const [record] = ConnectError.from(error).findDetails(ErrorRecordSchema);
  return record && errorOf(record);
}

/** An error from a worker's response. */
export function errorOf(record: ErrorRecord): MpcError {
  const { reason, message, retryable, metadata, causes } = record;
  return errorFromRecord({
    code: codeOf(record.code),
    reason,
    message,
    retryable,
    metadata,
    causes: causes.map((cause) => ({ ...cause, code: codeOf(cause.code) })),
  });
}

/**
 * The error for callers if no worker answers.
 * @param what cannot be done without one
 */
export function noWorker(
  urls: readonly URL[],
  cause: unknown,
  what = "read the cluster",
): MpcError {
  const asked = urls.map(({ origin }) => origin).join(", ");
  return new MpcError("UNAVAILABLE", {
    reason: "NO_WORKER",
    message: `Cannot ${what}: no worker answers at ${asked}; start one with 'deno task worker'`,
    metadata: { workers: asked },
    cause,
  });
}

function codeOf(text: string): ErrorCode {
  return ERROR_CODES.find((code) => code === text) ?? "INTERNAL";
}
