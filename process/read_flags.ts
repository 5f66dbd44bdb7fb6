import {
  type Command,
  CommanderError,
  type Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { MpcError, separateWords } from "@mpc/domain";
import type { z } from "zod";

type Env = Readonly<Record<string, string | undefined>>;

/** What help texts say about the environment. */
export const FLAGS_IN_ENVIRONMENT =
  "every flag has a variable, MPC_ and its name: MPC_DATA_DIR for --data-dir.\n" +
  "Lists are separated by commas, flags without a value are true or false; flags win.";

/**
 * Parses and validates flags. A flag that is not given is read from its environment variable.
 * @param schema of the flags in camelCase
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readFlags<Schema extends z.ZodType>(
  command: Command<[], OptionValues>,
  schema: Schema,
  args: readonly string[],
  env: Env,
): z.output<Schema> | undefined {
  try {
    const given = command.exitOverride().configureOutput({ outputError: () => {} })
      .parse([...args], { from: "user" });
    const variables = valuesIn(env, given);
    const flags = { ...given.opts(), ...variables };
    const checked = schema.safeParse(flags);
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    const name = String(issue?.path[0] ?? "");
    const flag = Object.hasOwn(variables, name) ? variableOf(name) : flagOf(name);
    const value = flags[name];
    const said = value === undefined || value === true ? "" : ` '${String(value)}'`;
    throw usage(`${flag}${said} ${issue?.message}`);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usage(error.message.replace(/^error: /, ""));
  }
}

const flagOf = (name: string) => `--${separateWords(name, "-")}`;

const variableOf = (name: string) => `MPC_${separateWords(name, "_").toUpperCase()}`;

/** The values of the flags that only the environment gives. */
function valuesIn(env: Env, command: Command<[], OptionValues>): Record<string, unknown> {
  return Object.fromEntries(
    command.options.flatMap((option) => {
      const name = option.attributeName();
      const text = env[variableOf(name)];
      if (!text || command.getOptionValueSource(name) === "cli") return [];
      return [[name, valueOf(option, text)]];
    }),
  );
}

function valueOf(option: Option, text: string): unknown {
  if (option.isBoolean()) return truthOf(option.attributeName(), text);
  const texts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (option.variadic) return texts;
  const { parseArg } = option;
  // Repeatable flags collect their values by a function.
  return parseArg ? texts.reduce<unknown>((all, one) => parseArg(one, all), undefined) : text;
}

function truthOf(name: string, text: string): boolean {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  if (/^(?:0|false|no|off)$/i.test(text)) return false;
  throw usage(`${variableOf(name)} '${text}' must be true or false`);
}

function usage(message: string): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `${message}; see --help`,
  });
}
