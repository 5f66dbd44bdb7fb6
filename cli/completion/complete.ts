import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Host } from "../host/mod.ts";
import type { Terminal } from "../host/terminal.ts";
import { createProgram } from "../program.ts";
import { type Candidate, valuesOf } from "./values.ts";

/** What the shell does after the candidates, in the protocol of Cobra's scripts. */
const DIRECTIVE = { files: 0, nothingElse: 4 } as const;

/** The parsed part of a command line, before the word to be completed. */
interface Position {
  readonly command: CommandUnknownOpts;
  /** The command's arguments before the last word. */
  readonly arguments: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  /** The flag whose value is the last word. */
  readonly flag: string | undefined;
}

/**
 * Completes the last of these words: prints a line for each candidate with its description, then a
 * directive for the shell (the protocol of Cobra).
 */
export async function complete(
  words: readonly string[],
  seams: { readonly terminal: Terminal; readonly host: Host },
): Promise<string> {
  const typed = words.at(-1)?.trim() ?? "";
  const program = await createProgram({
    ...seams,
    exit() {},
    configured() {},
    command: () => "",
    chosen() {},
  }, "all");
  // `--flag=value` in one word.
  const [, flag = "", value = typed] = /^(--[^=]+=)(.*)$/s.exec(typed) ?? [];
  const before = words.slice(0, -1);
  const position = locate(program, flag ? [...before, flag.slice(0, -1)] : before);
  if (flag && position.flag === undefined) return `:${DIRECTIVE.nothingElse}\n`;
  const found = await candidates(position, value, seams.host);
  if (!found) return `:${DIRECTIVE.files}\n`;
  const lines = found.filter((candidate) => candidate.value.startsWith(value))
    .map(({ value, description }) => `${flag}${value}\t${description}\n`);
  return `${lines.join("")}:${DIRECTIVE.nothingElse}\n`;
}

function locate(program: CommandUnknownOpts, words: readonly string[]): Position {
  let command = program;
  const values: string[] = [];
  const flags: Record<string, string> = {};
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word.startsWith("-")) {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = command.options.find(({ long, short }) => name === long || name === short);
      if (!option || option.isBoolean() || !(option.required || option.optional)) continue;
      if (value === undefined && index === words.length - 1) {
        return { command, arguments: values, flags, flag: option.long ?? name };
      }
      flags[option.long ?? name] = value ?? words[++index]!;
      continue;
    }
    const child = values.length === 0 &&
      command.commands.find((known) => known.name() === word || known.aliases().includes(word));
    if (child) command = child;
    else values.push(word);
  }
  return { command, arguments: values, flags, flag: undefined };
}

/** @returns undefined if the shell should complete file names */
async function candidates(
  { command, arguments: values, flags, flag }: Position,
  typed: string,
  host: Host,
): Promise<readonly Candidate[] | undefined> {
  const line = { verb: command.name(), noun: command.parent?.name() ?? "", values, flags };
  if (flag) return await valuesOf(flag, line, host);
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
  const argument = command.registeredArguments[values.length];
  if (!argument) return [];
  const choices = argument.argChoices?.map((value) => ({ value, description: "" }));
  return choices ?? await valuesOf(argument.name(), line, host);
}
