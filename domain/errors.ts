/** The canonical codes that a caller may act on; a subset of gRPC's (google.rpc.Code). */
export const ERROR_CODES = [
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "RESOURCE_EXHAUSTED",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNIMPLEMENTED",
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "DATA_LOSS",
  "INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** One field that breaks a rule. */
export interface FieldViolation {
  /** Path of the field as the API spells it, for instance `workload.spec.ports[1].port`. */
  readonly field: string;
  /** The rejected value, shortened; never a secret. */
  readonly value: string;
  /** The rule, in UPPER_SNAKE_CASE, for programs. */
  readonly rule: string;
  /** What the value must be, for people. */
  readonly hint: string;
}

export interface ErrorOptions {
  /** Why, in UPPER_SNAKE_CASE. Programs act on the code and the reason. */
  readonly reason: string;
  readonly message: string;
  /** Whether the same call may succeed later; derived from the code by default. */
  readonly retryable?: boolean;
  /** Structured facts, for instance `{ holder: "operations/…" }`; never a secret. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly cause?: unknown;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
]);

/**
 * Every error that crosses rooms: a code from a closed set, a reason, structured facts and a cause.
 */
export class MpcError extends Error {
  override readonly name = "MpcError";
  readonly code: ErrorCode;
  readonly reason: string;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];

  constructor(code: ErrorCode, options: ErrorOptions) {
    super(options.message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
  }
}

/** Whether `error` is an {@linkcode MpcError}; if codes are given, with one of them. */
export function isMpcError(error: unknown, ...codes: ErrorCode[]): error is MpcError {
  return error instanceof MpcError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * The error of a call that its caller aborted: CANCELLED `ABORTED_BY_CALLER`.
 * @param action what was aborted, for instance `go on sleeping`
 */
export const abortedByCaller = (action: string, cause?: unknown): MpcError =>
  new MpcError("CANCELLED", {
    reason: "ABORTED_BY_CALLER",
    message: `Cannot ${action}: the caller aborted`,
    cause,
  });

/** One error that names every invalid field (AIP-193, `BadRequest`). */
export function invalidArgument(
  action: string,
  violations: readonly FieldViolation[],
): MpcError {
  const first = violations[0];
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : "";
  return new MpcError("INVALID_ARGUMENT", {
    reason: "INVALID_FIELDS",
    message: `Cannot ${action}: '${first?.field}' ${first?.hint}${more}`,
    violations,
  });
}
