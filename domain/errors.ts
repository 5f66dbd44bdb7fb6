import { codeOf, type ErrorCode, type ErrorReason, type ReasonOf } from "./reasons.ts";

/**
 * Whose reasons they are: the `domain` of every `google.rpc.ErrorInfo` (AIP-193), which no other
 * service has. A client compares it before it acts on a reason.
 */
export const ERROR_DOMAIN = "mini-platform-control-plane";

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

export interface ErrorOptions<Code extends ErrorCode> {
  /** Why, from the catalogue; with the code it is what programs act on. */
  readonly reason: ReasonOf<Code>;
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
 * Every error that leaves a room: a closed code, one of its reasons, structured facts and a cause. An
 * unknown reason, or one of another code, does not compile.
 */
export class MpcError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "MpcError";
  readonly code: ErrorCode;
  /** Of the catalogue; at run time perhaps another version's, where a record gave it. */
  readonly reason: ErrorReason;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];

  constructor(code: Code, options: ErrorOptions<NoInfer<Code>>) {
    super(options.message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason as ErrorReason;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
  }
}

/** The error of a reason that is chosen at run time, with the code that the catalogue gives it. */
export const errorFor = (
  reason: ErrorReason,
  options: Omit<ErrorOptions<ErrorCode>, "reason">,
): MpcError => uncheckedError(codeOf(reason), reason, options);

/** The error of a code and a reason that a record holds, which may be of another version. */
export const uncheckedError = (
  code: ErrorCode,
  reason: string,
  options: Omit<ErrorOptions<ErrorCode>, "reason">,
): MpcError => new MpcError(code, { ...options, reason: reason as never });

/** A cause in the words of another system: its reason is its own, for instance `ErrImagePull`. */
export class ForeignError extends Error {
  override readonly name = "ForeignError";
  readonly code: ErrorCode;
  readonly reason: string;

  constructor(
    code: ErrorCode,
    options: { readonly reason: string; readonly message: string; readonly cause?: unknown },
  ) {
    super(options.message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
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
