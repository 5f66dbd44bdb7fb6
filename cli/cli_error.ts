import { EXIT } from "./exit_codes.ts";

/** An error that is told to the person as it is, without a stack. */
export class CliError extends Error {
  readonly exitCode: number;
  /** What to do next; empty where the message says it. */
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

/** The error of a command that was typed wrongly. */
export const usageError = (message: string, hint = ""): CliError =>
  new CliError(message, { exitCode: EXIT.USAGE, hint });
