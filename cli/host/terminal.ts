import { host } from "./mod.ts";

/** Where a command prints its output. */
export interface Terminal {
  /** Prints results, to standard output. */
  out(text: string): void;
  /** Prints progress, hints and errors, to standard error. */
  err(text: string): void;
  /** Whether progress goes to a terminal, and the user can answer questions there. */
  readonly interactive: boolean;
  readonly columns: number;
}

/** The process's own terminal. */
export const processTerminal: Terminal = {
  out: (text) => host.write("stdout", text),
  err: (text) => host.write("stderr", text),
  get interactive() {
    return host.isTerminal("stderr") && host.isTerminal("stdin");
  },
  get columns() {
    return host.columns();
  },
};
