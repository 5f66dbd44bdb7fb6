import process from "node:process";

/** Where a command prints; a seam, so that tests can read it. */
export interface Terminal {
  /** Results: what a pipe gets. */
  out(text: string): void;
  /** Progress, hints and errors. */
  err(text: string): void;
  /** Whether errors go to a terminal: only then is anything drawn. */
  readonly interactive: boolean;
  readonly columns: number;
}

/** The process's own terminal. */
export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true && process.stdin.isTTY === true,
  columns: process.stderr.columns ?? 80,
};
