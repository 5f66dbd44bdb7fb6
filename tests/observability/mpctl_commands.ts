/** The commands of mpctl, from the definitions of its help. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { host } from "../../cli/host/mod.ts";
import { createProgram } from "../../cli/program.ts";

/** What is wrong with a command line that a page names. */
export interface MpctlCommands {
  problems(line: string): readonly string[];
}

/** Reads the definitions of all commands. */
export async function mpctlCommands(): Promise<MpctlCommands> {
  const terminal = {
    out() {},
    err() {},
    interactive: false,
    draws: false,
    showsResults: false,
    columns: 80,
    rows: 24,
  };
  const program = await createProgram(
    { terminal, host, exit() {}, configured() {}, chosen() {}, command: () => "" },
    "all",
  );
  return { problems: (line) => problemsOf(program, line) };
}

function problemsOf(program: CommandUnknownOpts, line: string): readonly string[] {
  const words = line.replace(/ +#.*$/, "").match(/(?:'[^']*'|[^\s'])+/g)?.slice(1) ?? [];
  let command = program;
  let path = "mpctl";
  while (command.commands.length > 0) {
    const word = words.shift();
    const next = command.commands.find((each) =>
      word !== undefined && (each.name() === word || each.aliases().includes(word))
    );
    if (!next) return [`${path} ${word ?? ""}: no such command`];
    command = next;
    path += ` ${next.name()}`;
  }
  const problems: string[] = [];
  let values = 0;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith("-")) {
      values++;
      continue;
    }
    const [flag = ""] = word.split("=");
    const option = command.options.find(({ short, long }) => [short, long].includes(flag));
    if (!option) problems.push(`${path}: no flag ${flag}`);
    else if ((option.required || option.optional) && !word.includes("=")) words.shift();
  }
  const missing = command.registeredArguments.filter(({ required }) => required)[values];
  return missing ? [...problems, `${path}: needs <${missing.name()}>`] : problems;
}
