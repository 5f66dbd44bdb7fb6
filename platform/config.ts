import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import { DATA_FLAGS, dataOf, type DataSettings, readFlags, withData } from "@mpc/process";
import { z } from "zod";

/**
 * Reads flags and environment variables of the program that gives a copied database a new id.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readCopyConfig(args: readonly string[]): DataSettings | undefined {
  const command = withData(
    new Command("installation:new").description(
      "Gives a copied database an installation id of its own; the platform must be stopped",
    ),
    process.env,
    "where the copy is kept",
  );
  const flags = readFlags(command, z.object(DATA_FLAGS), args, process.env);
  return flags && dataOf(flags);
}
