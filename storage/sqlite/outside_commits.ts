import type { DatabaseSync, StatementSync } from "node:sqlite";

/** How soon a commit of another process is noticed, at most. */
const LOOK_EVERY_MS = 10;

/**
 * Notices what other connections commit: SQLite counts it in `data_version`, a look at which takes
 * some microseconds ("Pragma statements", SQLite documentation).
 */
export class OutsideCommits {
  readonly #version: StatementSync;

  constructor(database: DatabaseSync) {
    this.#version = database.prepare("PRAGMA data_version");
  }

  /**
   * Calls `tell` after commits of others, and once at first: what came before is not known.
   * @returns what ends it
   */
  watch(tell: () => void): () => void {
    let seen: number | undefined;
    const look = () => {
      const version = this.#look();
      if (version === undefined || version !== seen) tell();
      seen = version;
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Undefined where it cannot be read: who is told then meets the reason. */
  #look(): number | undefined {
    try {
      return Number(this.#version.get()?.["data_version"]);
    } catch {
      return undefined;
    }
  }
}
