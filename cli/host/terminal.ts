import { host } from "./mod.ts";

/** Where a command prints; a seam, so that tests can read it. */
export interface Terminal {
  /** Results: what a pipe gets. */
  out(text: string): void;
  /** Progress, hints and errors. */
  err(text: string): void;
  /** Whether progress goes to a terminal and answers come from one: only then is anything drawn. */
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
