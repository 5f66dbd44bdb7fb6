import { basename } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { folderError, isCorrupt, isRefusedBySystem, storeError, storeReplaced } from "./errors.ts";
import { hasMark, markOf } from "./opening_mark.ts";
import { tryFolder } from "./try_folder.ts";

/** How old the last look at the files may be when something is read. */
const LOOK_EVERY_MS = 1_000;

/** A file that the database has open. */
interface OpenFile {
  readonly path: string;
  /** Device and inode. */
  readonly identity: string;
}

/** What has happened to a file. */
interface Loss {
  /** For people. */
  readonly what: string;
  /** Whether another content is in the file that is open. */
  readonly isOverwritten: boolean;
}

/**
 * Whether a database can keep what is written to it. An open file outlives its name: a process that
 * only writes does not notice that its file was deleted, and loses everything when it ends. So the
 * files are looked for after every commit, before the commit is acknowledged. A file that is
 * overwritten in place, as by `cp`, is known by the mark that is missing in it.
 */
export class DatabaseHealth {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #files: readonly OpenFile[];
  readonly #mark: string;
  /** When the content of the database's file was last seen to be its own. */
  #own: string;
  #lookedAt = 0;
  /** What has happened to the files; undefined while they are in place. */
  #lost: Loss | undefined;
  /** SQLite's error, after which no more is written until a restart: that might damage more. */
  #corrupt: unknown;

  /** @param database open at `path`, with everything that it keeps open */
  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#mark = markOf(database);
    this.#own = changeOf(Deno.statSync(path));
    this.#files = [path, `${path}-wal`, `${path}-shm`, `${path}.pid`].flatMap((path) => {
      const found = infoOf(path);
      return found ? [{ path, identity: identityOf(found) }] : [];
    });
  }

  /**
   * Checks that the open files are those at their paths: two to four calls of `stat`.
   * @throws {MpcError} UNAVAILABLE `STORE_REPLACED`
   */
  assertInPlace(): void {
    const before = this.#lost;
    try {
      this.#lost = this.#look();
    } catch (error) {
      throw folderError(error);
    }
    this.#lookedAt = performance.now();
    if (this.#lost === undefined) return;
    if (before === undefined && !this.#lost.isOverwritten) this.#saveLog();
    throw storeReplaced(this.#lost.what);
  }

  /** Like {@linkcode assertInPlace}, but looks only once a second. */
  assertReadable(): void {
    if (performance.now() - this.#lookedAt > LOOK_EVERY_MS) this.assertInPlace();
    else if (this.#lost !== undefined) throw storeReplaced(this.#lost.what);
  }

  /**
   * Checks before a write what is known without a trial.
   * @throws {MpcError} UNAVAILABLE `STORE_REPLACED`, DATA_LOSS `STORE_CORRUPT`
   */
  assertWritable(): void {
    if (this.#corrupt !== undefined) throw storeError(this.#corrupt);
    if (this.#lost !== undefined) this.assertInPlace();
  }

  /** The port's error for an error of SQLite, with the reason that the operating system has for it. */
  explain(error: unknown): unknown {
    const isDamage = isCorrupt(error);
    if (isDamage || isRefusedBySystem(error)) {
      try {
        this.assertInPlace();
        if (!isDamage) tryFolder(this.#path);
      } catch (reason) {
        return reason;
      }
    }
    // Another content that was written over the database looks damaged too, so it is known here.
    if (isDamage) this.#corrupt ??= error;
    return storeError(error);
  }

  #look(): Loss | undefined {
    for (const { path, identity } of this.#files) {
      const found = infoOf(path);
      const isMain = path === this.#path;
      if (found && identityOf(found) === identity) {
        if (isMain && !this.#isOwn(found)) {
          const what =
            `its file '${basename(path)}' was overwritten while it was open; stop the process ` +
            "and restore a backup with 'deno task storage:restore'";
          return { what, isOverwritten: true };
        }
        continue;
      }
      const what = isMain
        ? `its file '${basename(path)}' was ${found ? "replaced" : "deleted or moved"}`
        : `'${basename(path)}', which belongs to its file, was ${
          found ? "replaced" : "deleted"
        }; restart the process, so that it writes a new one`;
      return { what, isOverwritten: false };
    }
    return undefined;
  }

  /**
   * Whether the content of the database's file is still its own. The file changes seldom, since
   * commits go to the log, so it is only looked into after a change.
   */
  #isOwn(found: Deno.FileInfo): boolean {
    const change = changeOf(found);
    if (change === this.#own) return true;
    if (!hasMark(this.#path, this.#mark)) return false;
    this.#own = change;
    return true;
  }

  /**
   * Brings what only the log has into the database's own file, which the log's deletion leaves
   * intact, and which the process can still be asked for where it was deleted itself.
   */
  #saveLog(): void {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The files are lost already, and that is what the caller must know.
    }
  }
}

/** Undefined if there is no such file. A quarter of the time of `node:fs`. */
function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

const identityOf = ({ dev, ino }: Deno.FileInfo): string => `${dev}:${ino}`;

const changeOf = ({ mtime, size }: Deno.FileInfo): string => `${mtime?.getTime()}:${size}`;
