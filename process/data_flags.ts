import { resolve } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import { dataDirSetting } from "./config.ts";
import { fileContent } from "./settings.ts";

/** Where a process keeps its records, and its other files. */
export interface DataSettings {
  /** The address of the store, as `openStore` takes it. */
  readonly store: string;
  /** The directory of all files; null to keep everything in memory. */
  readonly dataDir: string | null;
  /** The keys that encrypt secret values in the store: 32 bytes in base64, one per line; null for none. */
  readonly encryptionKeys: string | null;
}

/** The flags about data, for {@linkcode withData}. */
export const DATA_FLAGS = {
  dataDir: z.string(),
  store: z.string().min(1, "must not be empty").optional(),
  encryptionKeyFile: fileContent.optional(),
} as const;

/** The flag of processes that read and write secret values. */
export const ENCRYPTION_KEY_FILE = [
  "--encryption-key-file <file>",
  "encrypts secret values in the store; 32 bytes in base64",
] as const;

/** Adds the flags about data. */
export function withData(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
  description: string,
): Command<[]> {
  return command
    .option("--data-dir <path>", description, dataDirSetting())
    .addOption(
      new Option(
        "--store <address>",
        "mongodb://HOST/DATABASE, sqlite:PATH or memory: (default: mpc.db in the data directory)",
        // The help does not print the value of the variable, which may hold a password.
      ).default(env["MPC_STORE"], "MPC_STORE"),
    );
}

/**
 * The data settings of parsed flags. With a store in memory everything else is in memory too: what a
 * simulated cluster kept would have no records after a restart.
 * @param ephemeral whether everything is kept in memory, whatever the store
 */
export function dataOf(
  { dataDir, store, encryptionKeyFile }: z.output<z.ZodObject<typeof DATA_FLAGS>>,
  ephemeral = false,
): DataSettings {
  const encryptionKeys = encryptionKeyFile ?? null;
  const address = store ?? `sqlite:${resolve(dataDir, "mpc.db")}`;
  const inMemory = ephemeral || address === "memory:";
  return inMemory
    ? { store: "memory:", dataDir: null, encryptionKeys }
    : { store: address, dataDir, encryptionKeys };
}
