import { type Command, CommanderError, type OptionValues } from "@commander-js/extra-typings";
import { MpcError, separateWords } from "@mpc/domain";
import type { z } from "zod";

/**
 * Parses and validates flags.
 * @param schema of the flags in camelCase
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readFlags<Schema extends z.ZodType>(
  command: Command<[], OptionValues>,
  schema: Schema,
  args: readonly string[],
): z.output<Schema> | undefined {
  try {
    const flags = command.exitOverride().configureOutput({ outputError: () => {} })
      .parse([...args], { from: "user" }).opts();
    const checked = schema.safeParse(flags);
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    const [name = ""] = issue?.path ?? [];
    const value = flags[String(name)];
    const given = value === undefined || value === true ? "" : ` '${String(value)}'`;
    throw usage(`--${separateWords(String(name), "-")}${given} ${issue?.message}`);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usage(error.message.replace(/^error: /, ""));
  }
}

function usage(message: string): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `${message}; see --help`,
  });
}
