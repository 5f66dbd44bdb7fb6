import { stat } from "node:fs/promises";
import type { Logger } from "@logtape/logtape";
import { isMpcError, type MpcError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { readYamlFile, unreadable, type YamlFileKind } from "./yaml_file.ts";

/** How often the file is looked at. */
const LOOK_MS = 1_000;

export interface WatchedFileKind<T> extends YamlFileKind<T> {
  /** Where changes are reported. */
  readonly log: Logger;
}

/**
 * The content of a file of settings, which is read again when the file changes. A change is taken
 * when two looks in a row see the same file, so that a file that is being written is not read
 * half-way; to be sure, write another file and rename it. Wrong content is logged, and the old one
 * stays.
 */
export class WatchedFile<T> {
  readonly path: string;
  readonly #kind: WatchedFileKind<T>;
  #settings: T;
  /** The state of the file whose content is in force. */
  #used: string;
  /** The state at the last look; empty if there was no file. */
  #seen: string;
  /** The state whose content is wrong. */
  #wrong = "";
  #problem: MpcError | null = null;
  #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(path: string, kind: WatchedFileKind<T>, settings: T, state: string) {
    this.path = path;
    this.#kind = kind;
    this.#settings = settings;
    this.#used = state;
    this.#seen = state;
  }

  /**
   * Reads a file.
   * @throws {MpcError} INVALID_ARGUMENT with the kind's reason, with `FILE:line:column` where known
   */
  static async open<T>(path: string, kind: WatchedFileKind<T>): Promise<WatchedFile<T>> {
    const state = await stateOf(path, kind);
    return new WatchedFile(path, kind, await readYamlFile(path, kind), state);
  }

  /** The content that is in force; another object after each change. */
  get settings(): T {
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
    const { what, log } = this.#kind;
    try {
      const state = await stateOf(this.path, this.#kind);
      const settled = state === this.#seen;
      this.#seen = state;
      if (state === this.#used) this.#problem = null;
      if (!settled || state === this.#used || state === this.#wrong) return false;
      const settings = await readYamlFile(this.path, this.#kind);
      if (await stateOf(this.path, this.#kind) !== state) return false;
      this.#used = state;
      this.#wrong = "";
      this.#problem = null;
      this.#settings = settings;
      log.warning("The {what} {path} has changed and is in force", { what, path: this.path });
      return true;
    } catch (error) {
      if (!isMpcError(error)) throw error;
      this.#wrong = this.#seen;
      if (this.#problem?.message !== error.message) {
        log.error("The changed {what} is not used, the old one stays in force: {problem}", {
          what,
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
async function stateOf(path: string, kind: WatchedFileKind<unknown>): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
  } catch (error) {
    throw unreadable(path, kind, error);
  }
}
