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

/** The message for a body that a filter cannot parse. */
const MALFORMED_JSON = "malformed JSON";

/** The messages of the codes (`sqlite3_errstr`): errors of `exec` and of opening lack the code. */
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
      return storeFull(error);
    case CORRUPT:
    case NOTADB:
      return storeCorrupt(detail, error);
    case BUSY:
      return storeLocked(error);
    case READONLY:
    case CANTOPEN:
    case AUTH:
      return storeReadOnly(detail, error);
    case IOERR:
      return storeIoFailed(detail, error);
    default:
      return error;
  }
}

/** Whether the database itself is damaged, and not only a record in it. */
export const isCorrupt = (error: unknown): boolean =>
  [CORRUPT, NOTADB].includes(resultCode(error) ?? 0);

/** Whether another process holds the database. */
export const isBusy = (error: unknown): boolean => resultCode(error) === BUSY;

/** Whether the operating system refused to write: the reason is then in its folder, not in SQLite. */
export const isRefusedBySystem = (error: unknown): boolean =>
  [IOERR, READONLY, CANTOPEN].includes(resultCode(error) ?? 0);

/** The error for a failed attempt to write a file beside the database. */
export function folderError(error: unknown): MpcError {
  const detail = error instanceof Error ? error.message : String(error);
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOSPC":
    case "EDQUOT":
      return storeFull(error);
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return storeReadOnly(detail, error);
    case "ENOENT":
    case "ENOTDIR":
      return storeReplaced("its directory was deleted or moved", error);
    default:
      return storeIoFailed(detail, error);
  }
}

export const storeLocked = (cause?: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_LOCKED",
    message: "Cannot write to the store: another process has locked its database",
    cause,
  });

const storeFull = (cause: unknown): MpcError =>
  new MpcError("RESOURCE_EXHAUSTED", {
    reason: "STORE_FULL",
    message: "Cannot write to the store: no room is left on its disk",
    cause,
  });

const storeReadOnly = (detail: string, cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_READ_ONLY",
    message: `Cannot write to the store: its directory or file has become read-only (${detail})`,
    cause,
  });

const storeIoFailed = (detail: string, cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_IO_FAILED",
    message: `Cannot use the store: its disk fails (${detail})`,
    cause,
  });

/** The error for a file that is no longer where it was opened. */
export const storeReplaced = (detail: string, cause?: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_REPLACED",
    message: `Cannot use the store: ${detail}`,
    cause,
  });

const storeCorrupt = (detail: string, cause: unknown): MpcError =>
  new MpcError("DATA_LOSS", {
    reason: "STORE_CORRUPT",
    message: `Cannot read the store: ${detail}`,
    cause,
  });

/** The error for a row that cannot be parsed. */
export function damaged(name: string, table: string, cause: unknown): MpcError {
  return new MpcError("DATA_LOSS", {
    reason: "STORE_CORRUPT",
    message: `Cannot read '${name}': its record is damaged; restore the data directory from a ` +
      `copy, or take that row out of its table '${table}'`,
    metadata: { resource: name },
    cause,
  });
}
