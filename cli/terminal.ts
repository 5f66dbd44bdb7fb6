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
  // Asked for when needed: making the streams takes time at every start.
  get interactive() {
    return process.stderr.isTTY === true && process.stdin.isTTY === true;
  },
  get columns() {
    // A terminal that does not know its size says 0.
    return process.stderr.columns || 80;
  },
};
