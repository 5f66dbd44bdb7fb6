import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { isMpcError, MpcError } from "@mpc/domain";
import { isBusy, resultCode, storeError } from "./errors.ts";

/** How long a statement waits for a lock that another process holds. */
export const BUSY_TIMEOUT_MS = 5_000;

/**
 * How long a shared opening waits for the short locks of processes that open or close the file. A
 * process that has the file exclusively holds its lock longer.
 */
const SHARED_PATIENCE_MS = 1_000;

const PAUSE_MS = 5;

/**
 * Opens a SQLite file, for this process alone or shared with other processes of this machine. The
 * locks are the operating system's, so they are released however the process ends. A file beside
 * the database holds the pid of the last process, for messages.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE` or `STORE_NOT_WRITABLE`; DATA_LOSS
 *   `STORE_CORRUPT`
 */
export function openDatabase(path: string, shared: boolean): DatabaseSync {
  try {
    const database = shared ? openShared(path) : openAlone(path);
    writeHolder(path, shared);
    return database;
  } catch (error) {
    throw openError(error, path, shared);
  }
}

function openAlone(path: string): DatabaseSync {
  return open(path, [
    "PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
    `BEGIN EXCLUSIVE; COMMIT; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
  ]);
}

/** Waits for the lock that switches a new file to WAL, because SQLite does not wait for it. */
function openShared(path: string): DatabaseSync {
  for (const end = performance.now() + SHARED_PATIENCE_MS;;) {
    try {
      return open(path, [
        "PRAGMA busy_timeout = 0",
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        `BEGIN IMMEDIATE; COMMIT; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`,
      ]);
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

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

function openError(error: unknown, path: string, shared: boolean): unknown {
  if (isBusy(error)) return inUse(error, path, shared);
  const code = resultCode(error);
  const notWritable = code === 14 || code === 8 ||
    (error instanceof Error && "code" in error && error.code === "EACCES");
  if (notWritable || error instanceof Deno.errors.NotCapable) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_NOT_WRITABLE",
      message: `Cannot open '${path}': the directory or the file cannot be written`,
      cause: error,
    });
  }
  const known = storeError(error);
  if (!isMpcError(known, "DATA_LOSS")) return known;
  return new MpcError("DATA_LOSS", {
    reason: "STORE_CORRUPT",
    message:
      `Cannot open '${path}': it is damaged or no database; put a backup in its place, or choose another --data-dir`,
    cause: error,
  });
}

function inUse(cause: unknown, path: string, shared: boolean): MpcError {
  const holder = holderOf(path);
  const who = holder?.shared
    ? `other processes share it (the latest was pid ${holder.pid}); stop them`
    : `another process${holder ? ` (pid ${holder.pid})` : ""} has it open${
      shared ? " for itself alone" : ""
    }; stop that one`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_IN_USE",
    message: `Cannot open '${path}': ${who}, or choose another --data-dir`,
    cause,
  });
}

/** The process that opened a database last. */
interface Holder {
  readonly pid: number;
  readonly shared: boolean;
}

/** Writes this process's pid to a file beside the database, for the messages of other processes. */
function writeHolder(path: string, shared: boolean): void {
  writeFileSync(holderPath(path), `${process.pid}${shared ? " shared" : ""}\n`);
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
