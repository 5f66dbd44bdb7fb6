import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./errors.ts";

const MARK = "SELECT mark FROM openings";
const SET_MARK = "UPDATE openings SET mark = ?";

/**
 * Marks a database for the processes that have it open from now on. The mark is brought into the
 * database's own file and not written again, so the log never has it: who finds another one there,
 * has another database.
 */
export function markOpening(database: DatabaseSync): void {
  database.prepare(SET_MARK).run(randomUUID());
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Gives a copy a mark of its own, where its schema has one. */
export function markCopy(database: DatabaseSync): void {
  const table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'openings'";
  if (database.prepare(table).get()) database.prepare(SET_MARK).run(randomUUID());
}

/** The mark of the processes that have a database open. */
export const markOf = (database: DatabaseSync): string =>
  String(database.prepare(MARK).get()?.["mark"]);

/**
 * Whether the file at a path still has a mark, although another content may have been written into
 * it. It is read by a connection of its own: that of the store does not read again what it knows.
 */
export function hasMark(path: string, mark: string): boolean {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return markOf(database) === mark;
    } finally {
      database.close();
    }
  } catch (error) {
    // Whoever locks a database does not overwrite it. What cannot be read is another content.
    return isBusy(error);
  }
}
