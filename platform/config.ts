import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import { MpcError } from "@mpc/domain";
import { DATA_FLAGS, dataOf, type DataSettings, readFlags, withData } from "@mpc/process";
import { z } from "zod";

/** What the program that gives a database a new id works on. */
export interface CopySettings extends DataSettings {
  /** Whether the new id was agreed to on the command line. */
  readonly agreed: boolean;
}

/**
 * Reads flags and environment variables of the program that gives a copied database a new id. The
 * database must be named, because that of the default data directory is most often the original.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readCopyConfig(args: readonly string[]): CopySettings | undefined {
  const command = withData(
    new Command("installation:new").description(
      "Gives a copied database an installation id of its own; the platform must be stopped",
    ),
    process.env,
    "where the copy is kept",
  ).option("--yes", "do not ask");
  const schema = z.object({ ...DATA_FLAGS, yes: z.literal(true).optional() });
  const flags = readFlags(command, schema, args, process.env);
  if (!flags) return undefined;
  const isTyped = (flag: string) => command.getOptionValueSource(flag) === "cli";
  if (!isTyped("dataDir") && !isTyped("store")) {
    throw usageError("name the copy by --data-dir PATH or --store ADDRESS");
  }
  // MPC_STORE is most often the original, and must not win over --data-dir.
  const store = isTyped("store") ? flags.store : undefined;
  return { ...dataOf({ ...flags, store }), agreed: isTyped("yes") };
}

/** @throws {MpcError} INVALID_ARGUMENT `USAGE` */
export const usageError = (what: string): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `Cannot give a database a new id: ${what}`,
  });
