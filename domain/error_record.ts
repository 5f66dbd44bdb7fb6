import { type ErrorCode, MpcError } from "./errors.ts";

/** One link of a recorded cause chain. */
export interface ErrorCause {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly message: string;
}

/** An error as operations store it: JSON, with its causes in a list, the nearest first. */
export interface ErrorRecord extends ErrorCause {
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly causes: readonly ErrorCause[];
}

const MAX_CAUSES = 8;
const MAX_MESSAGE = 2_000;

/**
 * Records any thrown value.
 *
 * Unknown errors become `INTERNAL` and permanent, because blind retries of unexpected errors may do
 * harm. Their message is kept, because the record is for operators.
 */
export function recordError(error: unknown): ErrorRecord {
  const top = link(error);
  const causes: ErrorCause[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && causes.length < MAX_CAUSES) {
    causes.push(link(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    ...top,
    retryable: error instanceof MpcError && error.retryable,
    metadata: error instanceof MpcError ? error.metadata : {},
    causes,
  };
}

/** Converts a record back to an error with its causes. */
export function errorFromRecord(record: ErrorRecord): MpcError {
  const cause = record.causes.reduceRight<MpcError | undefined>(
    (inner, { code, reason, message }) => new MpcError(code, { reason, message, cause: inner }),
    undefined,
  );
  return new MpcError(record.code, { ...record, cause });
}

function link(error: unknown): ErrorCause {
  if (error instanceof MpcError) {
    return { code: error.code, reason: error.reason, message: shorten(error.message) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", reason: "UNEXPECTED", message: shorten(message) };
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}
