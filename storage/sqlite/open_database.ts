import process from "node:process";
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MpcError } from "@mpc/domain";
import { isBusy, resultCode, storeError } from "./sqlite_errors.ts";

/**
 * Opens a SQLite file for this process alone: the exclusive lock is the operating system's, so it
 * goes with the process however that ends. Who holds it stands in a file beside, for messages.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE` or `STORE_NOT_WRITABLE`; DATA_LOSS
 *   `STORE_CORRUPT`
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec("BEGIN EXCLUSIVE; COMMIT; PRAGMA busy_timeout = 5000");
    writeFileSync(holderPath(path), `${process.pid}\n`);
    return database;
  } catch (error) {
    database?.close();
    throw openError(error, path);
  }
}

function openError(error: unknown, path: string): unknown {
  if (isBusy(error)) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_IN_USE",
      message: `Cannot open '${path}': another process${
        holder(path)
      } has it open; stop that one, or choose another --data-dir`,
      cause: error,
    });
  }
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
  return storeError(error);
}

function holder(path: string): string {
  try {
    const pid = Number(readFileSync(holderPath(path), "utf8"));
    return Number.isInteger(pid) && pid > 0 ? ` (pid ${pid})` : "";
  } catch {
    // Who it is only helps the message along.
    return "";
  }
}

const holderPath = (path: string): string => `${path}.pid`;
