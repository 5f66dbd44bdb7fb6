import { getLogger } from "@logtape/logtape";
import { parseYamlFile, WatchedFile, type WatchedFileKind } from "@mpc/process";
import { ACCESS_SETTINGS, type AccessSettings } from "./settings.ts";

const ACCESS_FILE: WatchedFileKind<AccessSettings> = {
  what: "access file",
  reason: "ACCESS_FILE_INVALID",
  schema: ACCESS_SETTINGS,
  log: getLogger(["mpc", "access"]),
};

/**
 * Reads an access file; its content is read again when the file changes.
 * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`, with `FILE:line:column` where known
 */
export const openAccessFile = (path: string): Promise<WatchedFile<AccessSettings>> =>
  WatchedFile.open(path, ACCESS_FILE);

/**
 * Parses the text of an access file.
 * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`, with `FILE:line:column`
 */
export const parseAccessFile = (path: string, text: string): AccessSettings =>
  parseYamlFile(path, text, ACCESS_FILE);
