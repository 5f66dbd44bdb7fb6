/** The page of mpctl's commands, generated from the definitions of `--help`: `deno task docs`. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { SETTING_NAMES, SETTINGS } from "../cli/config/settings.ts";
import { EXIT_HELP } from "../cli/errors/cli_error.ts";
import { host } from "../cli/host/mod.ts";
import { examplesOf } from "../cli/nouns/command.ts";
import { createProgram } from "../cli/program.ts";
import { markdownTable } from "./markdown_table.ts";

/** The page's text. */
export async function mpctlPage(): Promise<string> {
  const silent = {
    out() {},
    err() {},
    interactive: false,
    draws: false,
    showsResults: false,
    columns: 80,
    rows: 24,
  };
  const program = await createProgram(
    { terminal: silent, host, exit() {}, configured() {}, command: () => "", chosen() {} },
    "all",
  );
  return [
    "# mpctl\n",
    "Generated from the definitions of the commands by `deno task docs`; do not edit.\n",
    "```text",
    EXIT_HELP,
    "```\n",
    "## Settings\n",
    "A flag overrides the environment variable, which overrides the profile, which overrides the default.\n",
    markdownTable(
      ["Setting", "Flag", "Environment", "Default", ""],
      SETTING_NAMES.map((name) => {
        const { flag, variable, fallback, description } = SETTINGS[name];
        return [name, flag, variable, fallback || "none", description];
      }),
    ),
    "Profiles are in `$XDG_CONFIG_HOME/mpc/config.yaml` (`~/.config` if it is not set), or in the",
    "file that `MPC_CONFIG` names. `MPC_PROFILE` names the profile; `NO_COLOR` turns colours off.",
    "`MPC_TOKEN` is a token to call with, in place of the sign-in of [mpctl login](sign-in.md).\n",
    ...program.commands.flatMap((command) => sections(command, "mpctl")),
  ].join("\n");
}

function sections(command: CommandUnknownOpts, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) {
    return [
      `## ${name}\n\n${command.description()}\n`,
      ...command.commands.flatMap((child) => sections(child, name)),
    ];
  }
  const rows = [
    ...command.registeredArguments.map((argument) => [
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
      argument.description,
    ]),
    ...command.options.filter(({ hidden }) => !hidden).map((option) => [
      option.flags,
      option.mandatory ? `${option.description} (required)` : option.description,
    ]),
  ];
  const aliases = command.aliases().map((alias) => `\`${alias}\``).join(", ");
  const depth = parent === "mpctl" ? "##" : "###";
  return [[
    `${depth} ${name}\n`,
    `${command.description()}${aliases && ` (also ${aliases})`}\n`,
    markdownTable(
      ["Argument or flag", ""],
      rows.map(([flags, text]) => [`\`${flags}\``, text ?? ""]),
    ),
    "```sh",
    ...examplesOf(command),
    "```\n",
  ].join("\n")];
}
