/** Storage in one SQLite file, for one machine. */
export { openDatabase } from "./open_database.ts";
export { openSqliteStore } from "./sqlite_store.ts";
