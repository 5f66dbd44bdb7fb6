/**
 * What mpctl needs from its process. It exists for speed: in Deno, loading the first `node:` module
 * takes as long as running an empty program, so Deno's API is used there, and Node's API in Node.
 */
export interface Host {
  readonly args: readonly string[];
  readonly platform: string;
  env(name: string): string | undefined;
  /** Ends the process at once, even with open connections. */
  exit(code: number): never;
  /** Writes synchronously and completely. @throws {BrokenPipe} if the reader has closed the pipe */
  write(stream: "stdout" | "stderr", text: string): void;
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** Width of the terminal; 80 if it is unknown. */
  columns(): number;
  /** @returns the file's text; undefined if the file does not exist */
  readTextFile(path: string): Promise<string | undefined>;
  /**
   * Writes a file atomically, and creates its folders; only the owner may read it. Follows a link.
   */
  writeTextFile(path: string, text: string): Promise<void>;
  /** The folder in which mpctl was started. */
  cwd(): string;
  /**
   * Reads a file that only its owner should read.
   * @returns its text, and whether others may read or write it; undefined if it does not exist
   */
  readPrivateFile(
    path: string,
  ): Promise<{ readonly text: string; readonly isExposed: boolean } | undefined>;
  /** Creates a file and its folders; only the owner may read it. @returns false if it exists */
  createFile(path: string, text: string): Promise<boolean>;
  /** Removes a file, if it exists. */
  removeFile(path: string): Promise<void>;
  /** When a file was last written, in milliseconds; undefined if it does not exist. */
  writtenAt(path: string): Promise<number | undefined>;
  /**
   * Runs a command by `sh`, with these variables added. Its errors go to the terminal, and it has no
   * input.
   * @returns its exit code, and its output; undefined if it was killed after the time
   */
  runShell(
    command: string,
    variables: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<{ readonly code: number; readonly out: string } | undefined>;
  /** The names in a folder; undefined if the path is not a folder. */
  listFolder(path: string): Promise<readonly string[] | undefined>;
  readStdin(): Promise<string>;
  /** Asks a question on the terminal and waits for a line. */
  ask(question: string): Promise<string>;
  /** The lines of the terminal; 24 if they are unknown. */
  rows(): number;
  /**
   * Calls `handler` at each ctrl-C and each request to terminate, for instance by `timeout`, which
   * then do not end the process. @returns a function that stops it
   */
  onInterrupt(handler: (signal: Interrupt) => void): () => void;
}

/** ctrl-C, or a request to terminate. */
export type Interrupt = "SIGINT" | "SIGTERM";

/** The reader of the output has closed the pipe, for instance `head`. */
export class BrokenPipe extends Error {}

/** The folder of a file. */
export const folderOf = (path: string): string =>
  /[/\\]/.test(path) ? path.replace(/[/\\][^/\\]*$/, "") || "/" : ".";
