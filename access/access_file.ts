import { readFile, stat } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import { isMpcError, MpcError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { isMap, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { ACCESS_SETTINGS, type AccessSettings } from "./settings.ts";

const log = getLogger(["mpc", "access"]);

const MAX_BYTES = 1024 * 1024;

/** How often the file is looked at. */
const LOOK_MS = 1_000;

/**
 * The content of an access file, which is read again when the file changes. A change is taken when
 * two looks in a row see the same file, so that a file that is being written is not read half-way;
 * to be sure, write another file and rename it. Wrong content is logged, and the old one stays.
 */
export class AccessFile {
  readonly path: string;
  #settings: AccessSettings;
  /** The state of the file whose content is in force. */
  #used: string;
  /** The state at the last look; empty if there was no file. */
  #seen: string;
  /** The state whose content is wrong. */
  #wrong = "";
  #problem: MpcError | null = null;
  #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(path: string, settings: AccessSettings, state: string) {
    this.path = path;
    this.#settings = settings;
    this.#used = state;
    this.#seen = state;
  }

  /**
   * Reads an access file.
   * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`, with `FILE:line:column` where known
   */
  static async open(path: string): Promise<AccessFile> {
    const state = await stateOf(path);
    return new AccessFile(path, await readAccessFile(path), state);
  }

  /** The content that is in force; another object after each change. */
  get settings(): AccessSettings {
    return this.#settings;
  }

  /** Why the file as it is now is not in force; null if it is. */
  get problem(): MpcError | null {
    return this.#problem;
  }

  /** Looks at the file from time to time, until it is closed. */
  watch(clock: Clock): void {
    const { signal } = this.#stop;
    const look = async () => {
      while (await sleepUnlessAborted(clock, LOOK_MS, signal)) await this.look();
    };
    this.#watching = look();
  }

  /**
   * Looks at the file once, and reads it if it has changed and no longer changes.
   * @returns whether the content was replaced
   */
  async look(): Promise<boolean> {
    try {
      const state = await stateOf(this.path);
      const settled = state === this.#seen;
      this.#seen = state;
      if (state === this.#used) this.#problem = null;
      if (!settled || state === this.#used || state === this.#wrong) return false;
      const settings = await readAccessFile(this.path);
      if (await stateOf(this.path) !== state) return false;
      this.#used = state;
      this.#wrong = "";
      this.#problem = null;
      this.#settings = settings;
      log.warning("The access file {path} has changed and is in force", { path: this.path });
      return true;
    } catch (error) {
      if (!isMpcError(error)) throw error;
      this.#wrong = this.#seen;
      if (this.#problem?.message !== error.message) {
        log.error("The changed access file is not used, the old one stays in force: {problem}", {
          problem: error.message,
        });
      }
      this.#problem = error;
      return false;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }
}

/** Stands for the state of a file. */
async function stateOf(path: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readAccessFile(path: string): Promise<AccessSettings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
  return parseAccessFile(path, text);
}

const unreadable = (path: string, error: unknown): MpcError =>
  invalid(
    `Cannot read the access file '${path}': ${error instanceof Error ? error.message : error}`,
    error,
  );

/**
 * Parses the text of an access file.
 * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`, with `FILE:line:column`
 */
export function parseAccessFile(path: string, text: string): AccessSettings {
  if (text.length > MAX_BYTES) {
    throw invalid(`${path}:1:1: the file is larger than ${MAX_BYTES / 1024} KiB`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const [error] = document.errors;
  if (error) throw invalid(`${place(error.pos[0])}: ${error.message}`, error);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid(`${place(0)}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const checked = ACCESS_SETTINGS.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (!issue) throw invalid(`${place(0)}: the content is not valid`);
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const where = at.length > 0 ? `${pathOf(at)}: ` : "";
  throw invalid(`${place(offsetOf(document.contents, at))}: ${where}${problemOf(issue)}`);
}

/** Where in the text a path of the content is, or the nearest parent that is there. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(part));
      if (!pair) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else {
      const items: readonly unknown[] = (node as { items?: readonly unknown[] })?.items ?? [];
      node = items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((part, index) =>
    typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`
  ).join("");
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "is not a field";
  return issue.message;
}

const invalid = (message: string, cause?: unknown): MpcError =>
  new MpcError("INVALID_ARGUMENT", { reason: "ACCESS_FILE_INVALID", message, cause });
