/** Exit codes of mpctl, documented in `mpctl --help`. */
export const EXIT = {
  OK: 0,
  ERROR: 1,
  USAGE: 2,
  OPERATION_FAILED: 3,
  CANCELLED: 4,
  TIMEOUT: 5,
  CONFLICT: 6,
  NOT_FOUND: 7,
  DIFFERENCES: 8,
  /** Interrupted; the operation continues. */
  DETACHED: 130,
} as const;

export const EXIT_HELP = `Exit codes:
  0  ok                    5  timeout
  1  error                 6  conflict: it exists, or somebody else was first
  2  usage, bad input      7  not found
  3  operation failed      8  there are differences
  4  operation cancelled   130  interrupted; the operation continues`;

/** An error whose message is printed for the user without a stack trace. */
export class CliError extends Error {
  readonly exitCode: number;
  /** What to do next; empty if the message says so. */
  readonly hint: string;

  constructor(
    message: string,
    options: { exitCode?: number; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.ERROR;
    this.hint = options.hint ?? "";
  }
}

/** The error for a command that was used incorrectly. */
export const usageError = (message: string, hint = ""): CliError =>
  new CliError(message, { exitCode: EXIT.USAGE, hint });
