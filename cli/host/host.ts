/**
 * What mpctl needs of its process. Exists for speed: in Deno loading the first `node:` module takes
 * as long as running an empty program, so Deno's own API is used there, and Node's in Node.
 */
export interface Host {
  readonly args: readonly string[];
  readonly platform: string;
  env(name: string): string | undefined;
  /** Ends the process at once, even with open connections. */
  exit(code: number): never;
  /** Writes synchronously and completely. @throws {BrokenPipe} where the reader is gone */
  write(stream: "stdout" | "stderr", text: string): void;
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** Width of the terminal; 80 where it is unknown. */
  columns(): number;
  /** @returns the file's text; undefined where the file does not exist */
  readTextFile(path: string): Promise<string | undefined>;
  /** Writes a file atomically, and creates its folders; only the owner may read it. */
  writeTextFile(path: string, text: string): Promise<void>;
  /** The names in a folder; undefined where the path is not a folder. */
  listFolder(path: string): Promise<readonly string[] | undefined>;
  readStdin(): Promise<string>;
  /** Asks on the terminal and waits for a line. */
  ask(question: string): Promise<string>;
  /** Calls `handler` at each ctrl-C, which then does not end the process. @returns the undo */
  onInterrupt(handler: () => void): () => void;
}

/** The reader of the output has closed the pipe, as `head` does. */
export class BrokenPipe extends Error {}
