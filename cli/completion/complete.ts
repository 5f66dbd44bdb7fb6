import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Host } from "../host/mod.ts";
import type { Terminal } from "../host/terminal.ts";
import { createProgram } from "../program.ts";
import { type Candidate, valuesOf } from "./values.ts";

/** What a shell is to do with the answer, as Cobra's scripts have it. */
const DIRECTIVE = { files: 0, nothingElse: 4 } as const;

/** What of a command line is known when its last word is to be completed. */
interface Position {
  readonly command: CommandUnknownOpts;
  /** How many arguments of the command stand before. */
  readonly arguments: number;
  readonly flags: Readonly<Record<string, string>>;
  /** The flag whose value the last word is. */
  readonly flag: string | undefined;
}

/**
 * What can stand in the place of the last of these words: a line each with its description, and
 * what the shell is to do besides (the protocol of Cobra and `@bomb.sh/tab`).
 */
export async function complete(
  words: readonly string[],
  seams: { readonly terminal: Terminal; readonly host: Host },
): Promise<string> {
  const typed = words.at(-1) ?? "";
  const program = await createProgram({ ...seams, exit() {}, configured() {} }, "all");
  const position = locate(program, words.slice(0, -1));
  const found = await candidates(position, typed, seams.host);
  if (!found) return `:${DIRECTIVE.files}\n`;
  const lines = found.filter(({ value }) => value.startsWith(typed))
    .map(({ value, description }) => `${value}\t${description}\n`);
  return `${lines.join("")}:${DIRECTIVE.nothingElse}\n`;
}

function locate(program: CommandUnknownOpts, words: readonly string[]): Position {
  let command = program;
  let count = 0;
  const flags: Record<string, string> = {};
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word.startsWith("-")) {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = command.options.find(({ long, short }) => name === long || name === short);
      if (!option || option.isBoolean() || !(option.required || option.optional)) continue;
      if (value === undefined && index === words.length - 1) {
        return { command, arguments: count, flags, flag: option.long ?? name };
      }
      flags[option.long ?? name] = value ?? words[++index]!;
      continue;
    }
    const child = count === 0 &&
      command.commands.find((known) => known.name() === word || known.aliases().includes(word));
    if (child) command = child;
    else count++;
  }
  return { command, arguments: count, flags, flag: undefined };
}

/** @returns undefined where the shell is to complete files */
async function candidates(
  { command, arguments: count, flags, flag }: Position,
  typed: string,
  host: Host,
): Promise<readonly Candidate[] | undefined> {
  if (flag) return await valuesOf(flag, flags, host);
  if (typed.startsWith("-")) {
    return command.options.filter(({ hidden, long }) => !hidden && long !== undefined)
      .map(({ long, description }) => ({ value: long!, description }));
  }
  if (command.commands.length > 0) {
    return command.commands.map((child) => ({
      value: child.name(),
      description: child.description(),
    }));
  }
  const argument = command.registeredArguments[count];
  if (!argument) return [];
  const choices = argument.argChoices?.map((value) => ({ value, description: "" }));
  return choices ?? await valuesOf(argument.name(), flags, host);
}
