import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { host } from "./host/mod.ts";
import { createProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

/** What somebody means who types the verb first, as kubectl has it: `get envs` is `env get`. */
export async function nounFirst(args: readonly string[]): Promise<string | undefined> {
  const [verb = "", typed = ""] = args.filter((word) => !word.startsWith("-"));
  const program = await createProgram({
    terminal: processTerminal,
    host,
    configured() {},
    exit() {},
  }, "all");
  const noun = named(program, typed) ?? named(program, typed.replace(/s$/, ""));
  const meant = noun && named(noun, verb);
  return meant && `Did you mean 'mpctl ${noun.name()} ${meant.name()}'? The noun comes first`;
}

const named = (parent: CommandUnknownOpts, name: string): CommandUnknownOpts | undefined =>
  parent.commands.find((command) => command.name() === name || command.aliases().includes(name));
