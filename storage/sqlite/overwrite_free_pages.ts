import { DatabaseSync } from "node:sqlite";

/** How long other processes may use the database meanwhile. */
const BUSY_TIMEOUT_MS = 10_000;

/** The size of one write, which other writers wait for. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Overwrites the pages of a database that nothing uses any more, and empties its log: both may hold
 * what was replaced. Content is overwritten in pages that stay in use anyway (`secure_delete`). A
 * `VACUUM` would do the same, but Deno allows it to programs with all permissions only.
 * @returns the number of pages, or undefined if another process keeps the log from being emptied
 */
export function overwriteFreePages(path: string): number | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA secure_delete = ON`);
    const pages = read(database, "freelist_count");
    const pageSize = read(database, "page_size");
    // A table takes all of them, is written, and goes. An interrupted run may have left one.
    database.exec("CREATE TABLE IF NOT EXISTS overwritten (zeros BLOB)");
    const insert = database.prepare("INSERT INTO overwritten VALUES (zeroblob(?))");
    for (let left = pages; left > 0 && read(database, "freelist_count") > 0;) {
      const bytes = Math.min(left * pageSize, CHUNK_BYTES);
      insert.run(bytes);
      left -= Math.ceil(bytes / pageSize);
    }
    const isWritten = emptyLog(database);
    database.exec("DROP TABLE overwritten");
    return emptyLog(database) && isWritten ? pages : undefined;
  } finally {
    database.close();
  }
}

const read = (database: DatabaseSync, name: "freelist_count" | "page_size"): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);

/** @returns whether the log is empty now */
const emptyLog = (database: DatabaseSync): boolean =>
  database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
