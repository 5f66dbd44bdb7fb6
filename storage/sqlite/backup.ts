/** Copies of a database as files: made while servers write, and put back while none runs. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { isMpcError, MpcError } from "@mpc/domain";
import { folderError, storeError } from "./errors.ts";
import { assertKnownSchema } from "./migrate.ts";
import { markCopy } from "./opening_mark.ts";
import { BUSY_TIMEOUT_MS, lockStore } from "./open_database.ts";

/** What a copy of a database holds. */
export interface BackupReport {
  readonly path: string;
  readonly bytes: number;
  /** Rows by table, for instance `operations`. */
  readonly rows: Readonly<Record<string, number>>;
}

/** More than any database has. */
const ALL_PAGES = 2 ** 31 - 1;

/** The tables that every schema since the first has. */
const TABLES = ["environments", "workloads", "revisions", "operations", "orphans", "events"];

/**
 * Writes a consistent copy of a store's database, with everything that was acknowledged before the
 * call. Servers may write meanwhile; they wait for nothing. The copy appears under its name when it
 * is complete, on the disk, and has passed SQLite's integrity check.
 * @param paths of the database, and of the copy, which must not exist
 * @throws {MpcError} FAILED_PRECONDITION `STORE_MISSING` or `TARGET_EXISTS`; DATA_LOSS
 *   `BACKUP_DAMAGED` or `STORE_CORRUPT`; RESOURCE_EXHAUSTED `STORE_FULL`; UNAVAILABLE
 */
export async function backupDatabase({ from, to }: {
  readonly from: string;
  readonly to: string;
}): Promise<BackupReport> {
  assertExists(from);
  assertFree(to);
  return await copyDatabase(from, to);
}

/**
 * Puts a backup in the place of a store's database. No server may use the store.
 * @param paths `from` of the backup, and `to` of the database
 * @param replace whether a database that is there is moved aside; else it is an error
 * @returns what was restored, and where the database is that was there before
 * @throws {MpcError} FAILED_PRECONDITION `STORE_MISSING`, `STORE_IN_USE`, `STORE_TOO_NEW` or
 *   `TARGET_EXISTS`; DATA_LOSS `BACKUP_DAMAGED`; RESOURCE_EXHAUSTED `STORE_FULL`; UNAVAILABLE
 */
export async function restoreDatabase({ from, to, replace }: {
  readonly from: string;
  readonly to: string;
  readonly replace: boolean;
}): Promise<BackupReport & { readonly before: string | undefined }> {
  assertExists(from);
  if (resolve(from) === resolve(to)) assertFree(to);
  if (!replace) assertFree(to);
  const { lock } = lockStore(to, false);
  try {
    let before: string | undefined;
    const report = await copyDatabase(from, to, () => before = moveAside(to));
    return { ...report, before };
  } finally {
    lock.close();
  }
}

/** Copies a database beside its final place, checks it, flushes it, and gives it its name. */
async function copyDatabase(
  from: string,
  to: string,
  beforeRename: () => void = () => {},
): Promise<BackupReport> {
  const partial = `${to}.partial`;
  try {
    remove(partial);
    const database = new DatabaseSync(from, { timeout: BUSY_TIMEOUT_MS });
    try {
      assertStore(database, from);
      // In one step, as one reader: with several, each write of another process would begin it anew.
      await backup(database, partial, { rate: ALL_PAGES });
    } finally {
      database.close();
    }
    detach(partial);
    const rows = checked(partial);
    flush(partial);
    beforeRename();
    renameSync(partial, to);
    flush(dirname(resolve(to)));
    return { path: to, bytes: statSync(to).size, rows };
  } catch (error) {
    remove(partial);
    const known = storeError(error);
    throw isMpcError(known) ? known : folderError(known);
  }
}

/** Removes a database with all that belongs to it. */
function remove(path: string): void {
  for (const part of ["", "-wal", "-shm", "-journal"]) rmSync(`${path}${part}`, { force: true });
}

/**
 * Makes a copy one file, which nothing else belongs to, and no longer the database that servers have
 * open, so that they notice when it is written over that.
 */
function detach(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = DELETE");
    markCopy(database);
  } finally {
    database.close();
  }
}

/**
 * Counts the rows of a copy that is intact.
 * @throws {MpcError} DATA_LOSS `BACKUP_DAMAGED`
 */
function checked(path: string): Readonly<Record<string, number>> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    assertStore(database, path);
    assertKnownSchema(database, path);
    const problems = integrityProblems(database);
    if (problems.length > 0) throw damagedBackup(path, problems.join("; "));
    return Object.fromEntries(
      TABLES.map((table) => [table, countOf(database, table)]),
    );
  } catch (error) {
    if (isMpcError(error, "FAILED_PRECONDITION", "DATA_LOSS")) throw error;
    throw damagedBackup(path, error instanceof Error ? error.message : String(error), error);
  } finally {
    database.close();
  }
}

/** What SQLite's integrity check finds; empty if the database is intact. */
function integrityProblems(database: DatabaseSync): readonly string[] {
  return database.prepare("PRAGMA integrity_check(20)").all()
    .map((row) => String(row["integrity_check"])).filter((found) => found !== "ok");
}

const countOf = (database: DatabaseSync, table: string): number =>
  Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"]);

/** @throws {MpcError} FAILED_PRECONDITION `STORE_MISSING`: it is a database, but of something else */
function assertStore(database: DatabaseSync, path: string): void {
  const found = database.prepare(
    `SELECT count(*) AS count FROM sqlite_schema
      WHERE type = 'table' AND name IN (${TABLES.map(() => "?").join(", ")})`,
  ).get(...TABLES);
  if (Number(found?.["count"]) === TABLES.length) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_MISSING",
    message: `Cannot copy '${path}': it is no store of a platform`,
  });
}

function assertExists(path: string): void {
  if (existsSync(path)) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_MISSING",
    message: `Cannot copy '${path}': there is no such file`,
  });
}

function assertFree(path: string): void {
  if (!existsSync(path)) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "TARGET_EXISTS",
    message: `Cannot write '${path}': a file of that name exists`,
  });
}

/**
 * Gives a database another name, with its log if it has one. A process that is killed here leaves
 * either the old database or the new one, whole.
 */
function moveAside(path: string): string | undefined {
  if (!existsSync(path)) {
    for (const part of ["-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
    return undefined;
  }
  emptyLog(path);
  let before = `${path}.before-restore`;
  for (let number = 2; existsSync(before); number++) before = `${path}.before-restore-${number}`;
  linkSync(path, before);
  for (const part of ["-wal", "-shm"]) {
    if (existsSync(`${path}${part}`)) renameSync(`${path}${part}`, `${before}${part}`);
  }
  return before;
}

/** Brings what only the log has into the database. */
function emptyLog(path: string): void {
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      database.close();
    }
  } catch {
    // It is damaged, which may be why it is replaced; it keeps its log under its new name.
  }
}

/** Makes a file, or the names in a directory, survive a power cut. */
function flush(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const damagedBackup = (path: string, detail: string, cause?: unknown): MpcError =>
  new MpcError("DATA_LOSS", {
    reason: "BACKUP_DAMAGED",
    message: `Cannot use the copy '${path}': ${detail}`,
    cause,
  });
