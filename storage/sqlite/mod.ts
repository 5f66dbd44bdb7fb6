/** Storage in one SQLite file, for one machine. */
export { openSqliteStore } from "./sqlite_store.ts";
