import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { folderError } from "./errors.ts";

/** As much as SQLite writes at once, so that a disk without room refuses it. */
const TRIAL = new Uint8Array(4_096);

/**
 * Writes a file beside a database, as SQLite does when it opens one.
 * @throws {MpcError} UNAVAILABLE `STORE_READ_ONLY`, `STORE_REPLACED` or `STORE_IO_FAILED`;
 *   RESOURCE_EXHAUSTED `STORE_FULL`
 */
export function tryFolder(path: string): void {
  const trial = `${path}.trial`;
  try {
    const file = openSync(trial, "w", 0o600);
    try {
      writeSync(file, TRIAL);
    } finally {
      closeSync(file);
      unlinkSync(trial);
    }
  } catch (error) {
    throw folderError(error);
  }
}
