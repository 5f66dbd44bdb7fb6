import { isMpcError, MpcError } from "@mpc/domain";

/** Primary result codes ("Result and Error Codes", SQLite documentation). */
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const AUTH = 23;
const NOTADB = 26;

/** What it says of a body that a filter cannot look into. */
const MALFORMED_JSON = "malformed JSON";

/** How SQLite words its codes (`sqlite3_errstr`): `exec` and opening give the words alone. */
const WORDS: readonly (readonly [string, number])[] = [
  ["database is locked", BUSY],
  ["attempt to write a readonly database", READONLY],
  ["disk I/O error", IOERR],
  ["database disk image is malformed", CORRUPT],
  ["database or disk is full", FULL],
  ["unable to open database file", CANTOPEN],
  ["file is not a database", NOTADB],
];

/** The primary result code of an error of SQLite; undefined for other errors. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") {
    return undefined;
  }
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return WORDS.find(([words]) => error.message.startsWith(words))?.[1];
}

/** Translates an error of SQLite into the port's; passes others through. */
export function storeError(error: unknown): unknown {
  if (isMpcError(error)) return error;
  const detail = error instanceof Error ? error.message : String(error);
  switch (detail === MALFORMED_JSON ? CORRUPT : resultCode(error)) {
    case FULL:
      return new MpcError("RESOURCE_EXHAUSTED", {
        reason: "STORE_FULL",
        message: "Cannot write to the store: no room is left on its disk",
        cause: error,
      });
    case CORRUPT:
    case NOTADB:
      return new MpcError("DATA_LOSS", {
        reason: "STORE_CORRUPT",
        message: `Cannot read the store: ${detail}`,
        cause: error,
      });
    case BUSY:
    case IOERR:
    case READONLY:
    case CANTOPEN:
    case AUTH:
      return new MpcError("UNAVAILABLE", {
        reason: "STORE_UNAVAILABLE",
        message: `Cannot use the store: ${detail}`,
        cause: error,
      });
    default:
      return error;
  }
}

/** The error of a row that nobody can read. */
export function damaged(name: string, table: string, cause: unknown): MpcError {
  return new MpcError("DATA_LOSS", {
    reason: "STORE_CORRUPT",
    message: `Cannot read '${name}': its record is damaged; restore the data directory from a ` +
      `copy, or take that row out of its table '${table}'`,
    metadata: { resource: name },
    cause,
  });
}

/** Whether another process holds the database. */
export const isBusy = (error: unknown): boolean => resultCode(error) === BUSY;
