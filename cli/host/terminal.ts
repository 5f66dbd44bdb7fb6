import { BrokenPipe, host } from "./mod.ts";

/** Where a command prints its output. */
export interface Terminal {
  /** Prints results, to standard output. @throws {BrokenPipe} if nobody reads them any more */
  out(text: string): void;
  /** Prints progress, hints and errors, to standard error. */
  err(text: string): void;
  /** Whether the user can answer questions. */
  readonly interactive: boolean;
  /** Whether progress can be drawn: a terminal that moves its cursor. */
  readonly draws: boolean;
  /** Whether results appear on a terminal. */
  readonly showsResults: boolean;
  readonly columns: number;
  readonly rows: number;
}

/** The process's own terminal. */
export const processTerminal: Terminal = {
  out: (text) => host.write("stdout", text),
  err(text) {
    try {
      host.write("stderr", text);
    } catch (error) {
      // The command continues, and its exit code stays true.
      if (!(error instanceof BrokenPipe)) throw error;
    }
  },
  get interactive() {
    return host.isTerminal("stderr") && host.isTerminal("stdin");
  },
  get draws() {
    return host.isTerminal("stderr") && host.env("TERM") !== "dumb";
  },
  get showsResults() {
    return host.isTerminal("stdout");
  },
  get columns() {
    return host.columns();
  },
  get rows() {
    return host.rows();
  },
};
