/** Storage in one SQLite file, for one machine. */
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite_store.ts";
