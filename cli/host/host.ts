/**
 * What mpctl needs of the process it runs in. A seam for speed, not for taste: in Deno the first
 * touch of a `node:` module costs as long as an empty program takes to run, so Deno's own calls are
 * used there, and Node's in Node.
 */
export interface Host {
  readonly args: readonly string[];
  readonly platform: string;
  env(name: string): string | undefined;
  /** Ends the process now: what connections are left open do not keep it. */
  exit(code: number): never;
  /** Writes at once and whole. @throws {BrokenPipe} where nobody reads any more */
  write(stream: "stdout" | "stderr", text: string): void;
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** Width of the terminal; 80 where it is not known. */
  columns(): number;
  /** @returns the file's text; undefined where there is no such file */
  readTextFile(path: string): Promise<string | undefined>;
  /** Writes a file as a whole, and the folders above it; only its owner may read it. */
  writeTextFile(path: string, text: string): Promise<void>;
  /** Names in a folder; undefined where the path is no folder. */
  listFolder(path: string): Promise<readonly string[] | undefined>;
  readStdin(): Promise<string>;
  /** Asks on the terminal and waits for a line. */
  ask(question: string): Promise<string>;
  /** Calls `handler` at each ctrl-C, which then no longer ends the process. @returns the undo */
  onInterrupt(handler: () => void): () => void;
}

/** The reader of our output has gone, as `head` does. */
export class BrokenPipe extends Error {}
