import { readFileSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { isMpcError, MpcError } from "@mpc/domain";
import { isBusy, resultCode, storeError } from "./errors.ts";
import { tryFolder } from "./try_folder.ts";

/** How long a statement waits for a lock that another process holds. */
export const BUSY_TIMEOUT_MS = 5_000;

/**
 * How long an opening waits for the short locks of processes that open, close or copy the file. A
 * process that keeps the database locked holds its lock longer.
 */
const PATIENCE_MS = 1_000;

const PAUSE_MS = 5;

/** Why the operating system refuses to create a file. */
const NOT_WRITABLE = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR"];

/** A database and the lock that keeps other processes from opening it the wrong way. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** Whether no other process had it open. */
  readonly isFirst: boolean;
  /** Lets other processes in, if it is shared. */
  admitOthers(): void;
  close(): void;
}

/**
 * Opens a SQLite file, for this process alone or shared with other processes of this machine. The
 * lock is on a file beside the database, which holds the pid of the last process, for messages; it
 * is the operating system's, so it is released however the process ends. The database itself is not
 * locked, so that other programs can read it, for instance to make a backup.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE` or `STORE_NOT_WRITABLE`; DATA_LOSS
 *   `STORE_CORRUPT`
 */
export function openDatabase(path: string, shared: boolean): OpenDatabase {
  let lock: Deno.FsFile | undefined;
  try {
    const held = lockStore(path, shared);
    lock = held.lock;
    const database = openWithPatience(path);
    return {
      database,
      isFirst: held.isFirst,
      admitOthers() {
        if (shared && !lock?.tryLockSync(false)) throw inUse(path, shared);
      },
      close() {
        database.close();
        lock?.close();
      },
    };
  } catch (error) {
    lock?.close();
    throw openError(error, path);
  }
}

/**
 * Takes the lock of a store's file, without opening the file. The first of those that share it has
 * it alone at first, and the others wait for a moment.
 * @returns the lock, which closing releases
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE`
 */
export function lockStore(
  path: string,
  shared: boolean,
): { readonly lock: Deno.FsFile; readonly isFirst: boolean } {
  const lock = Deno.openSync(holderPath(path), { read: true, write: true, create: true });
  try {
    const end = performance.now() + PATIENCE_MS;
    let isFirst = lock.tryLockSync(true);
    while (!isFirst && !(shared && lock.tryLockSync(false))) {
      if (!shared || performance.now() >= end) throw inUse(path, shared);
      pause();
      isFirst = lock.tryLockSync(true);
    }
    lock.truncateSync();
    lock.writeSync(new TextEncoder().encode(`${process.pid}${shared ? " shared" : ""}\n`));
    return { lock, isFirst };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Waits for the lock that switches a new file to WAL, because SQLite does not wait for it. */
function openWithPatience(path: string): DatabaseSync {
  for (const end = performance.now() + PATIENCE_MS;;) {
    try {
      return open(path, [
        "PRAGMA busy_timeout = 0",
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        // What is replaced may be a secret that was not encrypted.
        "PRAGMA secure_delete = FAST",
        `BEGIN IMMEDIATE; COMMIT; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
      ]);
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error;
      pause();
    }
  }
}

const pause = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);

function open(path: string, statements: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    for (const statement of statements) database.exec(statement);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openError(error: unknown, path: string): unknown {
  if (isMpcError(error)) return error;
  if (isBusy(error)) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_IN_USE",
      message:
        `Cannot open '${path}': another program, such as a backup, has locked its database; wait until it has ended, or stop it`,
      cause: error,
    });
  }
  const code = resultCode(error);
  const systemCode = error instanceof Error && "code" in error ? error.code : undefined;
  const notWritable = code === 14 || code === 8 || NOT_WRITABLE.includes(String(systemCode));
  if (notWritable || error instanceof Deno.errors.NotCapable) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_NOT_WRITABLE",
      message: `Cannot open '${path}': the directory or the file cannot be written`,
      cause: error,
    });
  }
  const known = storeError(error);
  if (!isMpcError(known, "DATA_LOSS")) return folderProblem(path) ?? known;
  return new MpcError("DATA_LOSS", {
    reason: "STORE_CORRUPT",
    message:
      `Cannot open '${path}': it is damaged or no database; put a backup in its place, or choose another --data-dir`,
    cause: error,
  });
}

/** What keeps files from being written beside a database; undefined if nothing does. */
function folderProblem(path: string): unknown {
  try {
    tryFolder(path);
    return undefined;
  } catch (reason) {
    return reason;
  }
}

function inUse(path: string, shared: boolean): MpcError {
  const holder = holderOf(path);
  const who = holder?.shared
    ? `other processes share it (the latest was pid ${holder.pid}); stop them`
    : `another process${holder ? ` (pid ${holder.pid})` : ""} has it open${
      shared ? " for itself alone" : ""
    }; stop that one`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_IN_USE",
    message: `Cannot open '${path}': ${who}, or choose another --data-dir`,
  });
}

/** The process that opened a database last. */
interface Holder {
  readonly pid: number;
  readonly shared: boolean;
}

/** Reads which process opened a database last; undefined if that is not known. */
function holderOf(path: string): Holder | undefined {
  try {
    const match = /^(\d+)( shared)?\n/.exec(readFileSync(holderPath(path), "utf8"));
    return match ? { pid: Number(match[1]), shared: match[2] !== undefined } : undefined;
  } catch {
    // The pid only makes the message more helpful.
    return undefined;
  }
}

const holderPath = (path: string): string => `${path}.pid`;
