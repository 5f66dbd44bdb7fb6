import { ForeignError, MpcError, uncheckedError } from "./errors.ts";
import type { ErrorCode, ErrorReason } from "./reasons.ts";

/** One link of a recorded cause chain. */
export interface ErrorCause {
  readonly code: ErrorCode;
  /** Of the catalogue, or another system's own, for instance `ErrImagePull`. */
  readonly reason: string;
  readonly message: string;
}

/** An error as operations store it: JSON, with its causes in a list, the nearest first. */
export interface ErrorRecord extends ErrorCause {
  /** Read from a store it may be another version's: `adviceFor` answers for any. */
  readonly reason: ErrorReason;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly causes: readonly ErrorCause[];
}

const MAX_CAUSES = 8;
const MAX_MESSAGE = 2_000;
const UNEXPECTED = "UNEXPECTED";

/**
 * Records any thrown value.
 *
 * Unknown errors become `INTERNAL` and permanent, because blind retries of unexpected errors may do
 * harm. Their message is kept, because the record is for operators.
 */
export function recordError(error: unknown): ErrorRecord {
  const causes: ErrorCause[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && causes.length < MAX_CAUSES) {
    causes.push(link(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    ...link(error),
    reason: error instanceof MpcError ? error.reason : UNEXPECTED,
    retryable: error instanceof MpcError && error.retryable,
    metadata: error instanceof MpcError ? error.metadata : {},
    causes,
  };
}

/** Turns a record back into an error, with its causes. Its reason may be another version's. */
export function errorFromRecord(record: ErrorCause & Omit<ErrorRecord, "reason">): MpcError {
  const cause = record.causes.reduceRight<ForeignError | undefined>(
    (inner, { code, reason, message }) => new ForeignError(code, { reason, message, cause: inner }),
    undefined,
  );
  return uncheckedError(record.code, record.reason, { ...record, cause });
}

function link(error: unknown): ErrorCause {
  if (error instanceof MpcError || error instanceof ForeignError) {
    return { code: error.code, reason: error.reason, message: shorten(error.message) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", reason: UNEXPECTED, message: shorten(message) };
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}
