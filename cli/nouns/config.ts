import {
  assertProfileName,
  editProfiles,
  type Profiles,
  profilesPath,
  readProfiles,
} from "../config/profiles.ts";
import { chosenProfile, findSettings, type GlobalFlags } from "../config/read_config.ts";
import { assertFitsProfile, SETTING_NAMES, type SettingName } from "../config/settings.ts";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import { nearest } from "../errors/nearest.ts";
import type { Host } from "../host/mod.ts";
import type { Terminal } from "../host/terminal.ts";
import { isForPeople, machineText, parseOutput } from "../output/format.ts";
import { renderTable } from "../output/table.ts";
import { command, noun, runLocally, type Runner } from "./command.ts";

/** `mpctl config …` */
export function configCommands(runner: Runner) {
  return noun("config", "", "Config: profiles with a server, an output format and an environment")
    .addCommand(viewCommand(runner))
    .addCommand(listCommand(runner))
    .addCommand(useCommand(runner))
    .addCommand(setCommand(runner))
    .addCommand(unsetCommand(runner))
    .addCommand(removeCommand(runner));
}

function viewCommand(runner: Runner) {
  return command("view", "Show the effective value of every setting", [
    "mpctl config view",
    "mpctl config view --show-origin  # which flag, variable or profile set it",
  ])
    .option("--show-origin", "where each value comes from")
    .action((flags) => runLocally(runner, (terminal, host) => view(terminal, host, flags)));
}

function listCommand(runner: Runner) {
  return command("list", "List the profiles; the current one is marked", ["mpctl config list"])
    .alias("ls")
    .action((flags) => runLocally(runner, (terminal, host) => list(terminal, host, flags)));
}

function useCommand(runner: Runner) {
  return command("use", "Make a profile the current one", ["mpctl config use staging"])
    .argument("<profile>")
    .action((profile) => runLocally(runner, (terminal, host) => use(terminal, host, profile)));
}

function setCommand(runner: Runner) {
  return command("set", "Change a setting of a profile; creates the profile if needed", [
    "mpctl config set server https://mpc.example.com --profile staging",
    "mpctl config set environment dev  # in the current profile",
    "mpctl config set output wide",
  ])
    .argument("<setting>", "such as server, output or environment")
    .argument("<value>")
    .action((setting, value, flags) =>
      runLocally(runner, (terminal, host) => set(terminal, host, setting, value, flags))
    );
}

function unsetCommand(runner: Runner) {
  return command("unset", "Remove a setting from a profile", [
    "mpctl config unset environment",
  ])
    .argument("<setting>", "such as server, output or environment")
    .action((setting, flags) =>
      runLocally(runner, (terminal, host) => set(terminal, host, setting, undefined, flags))
    );
}

function removeCommand(runner: Runner) {
  return command("delete", "Delete a profile", ["mpctl config delete staging"])
    .alias("rm")
    .argument("<profile>")
    .action((profile) => runLocally(runner, (terminal, host) => remove(terminal, host, profile)));
}

/** The profile that `config set` creates if no profile is current. */
const FIRST_PROFILE = "default";

/** The settings in the table of profiles. */
const IN_LIST = ["server", "output", "environment"] as const;

/** `mpctl config view` */
async function view(
  terminal: Terminal,
  host: Host,
  flags: GlobalFlags & { readonly showOrigin?: true | undefined },
): Promise<number> {
  const found = await findSettings(flags, host);
  const output = parseOutput(flags.output ?? "table");
  if (!isForPeople(output)) {
    const json = Object.fromEntries(SETTING_NAMES.map((name) => [name, { ...found[name] }]));
    terminal.out(await machineText(output, json));
    return EXIT.OK;
  }
  const rows = SETTING_NAMES.map((name) => [
    name,
    found[name].text || "-",
    ...(flags.showOrigin ? [found[name].origin] : []),
  ]);
  const headers = ["SETTING", "VALUE", ...(flags.showOrigin ? ["ORIGIN"] : [])];
  terminal.out(await renderTable(headers, rows, flags.headers ?? true));
  return EXIT.OK;
}

/** `mpctl config list` */
async function list(terminal: Terminal, host: Host, flags: GlobalFlags): Promise<number> {
  const file = await readProfiles(host);
  const { name: current } = chosenProfile(flags, host, file);
  const names = Object.keys(file.profiles).sort();
  const output = parseOutput(flags.output ?? "table");
  if (!isForPeople(output)) {
    const json = names.map((name) => ({
      name,
      current: name === current,
      ...file.profiles[name],
    }));
    terminal.out(await machineText(output, json));
    return EXIT.OK;
  }
  if (names.length === 0) {
    terminal.err("No profiles: 'mpctl config set server URL --profile NAME' creates one\n");
    return EXIT.OK;
  }
  const rows = names.map((name) => [
    name === current ? "*" : "",
    name,
    ...IN_LIST.map((setting) => file.profiles[name]?.[setting] ?? "-"),
  ]);
  const headers = ["CURRENT", "NAME", ...IN_LIST.map((name) => name.toUpperCase())];
  terminal.out(await renderTable(headers, rows, flags.headers ?? true));
  return EXIT.OK;
}

/** `mpctl config use` */
async function use(terminal: Terminal, host: Host, profile: string): Promise<number> {
  const file = await readProfiles(host);
  assertExists(file, profile);
  await editProfiles(host, [[["current"], profile]]);
  terminal.err(`Profile '${profile}' is the current one\n`);
  return EXIT.OK;
}

/** `mpctl config set`, and without a value `mpctl config unset` */
async function set(
  terminal: Terminal,
  host: Host,
  setting: string,
  value: string | undefined,
  flags: GlobalFlags,
): Promise<number> {
  const key = settingName(setting);
  if (value !== undefined) assertFitsProfile(key, value);
  const file = await readProfiles(host);
  const name = flags.profile ?? (host.env("MPC_PROFILE") || file.current || FIRST_PROFILE);
  assertProfileName(name);
  if (value === undefined) assertExists(file, name);
  await editProfiles(host, [
    // The first profile becomes the current one.
    [["current"], file.current || name],
    [["profiles", name, key], value],
  ]);
  terminal.err(`Profile '${name}' in ${profilesPath(host)} is written\n`);
  return EXIT.OK;
}

/** `mpctl config delete` */
async function remove(terminal: Terminal, host: Host, name: string): Promise<number> {
  const file = await readProfiles(host);
  assertExists(file, name);
  const wasCurrent = file.current === name;
  await editProfiles(host, [
    [["profiles", name], undefined],
    ...(wasCurrent ? [[["current"], ""] as const] : []),
  ]);
  const rest = wasCurrent ? "; no profile is current now" : "";
  terminal.err(`Profile '${name}' is deleted${rest}\n`);
  return EXIT.OK;
}

function settingName(typed: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === typed);
  if (name) return name;
  const known = SETTING_NAMES.join(", ");
  const hint = nearest(typed, SETTING_NAMES) ?? "";
  throw usageError(`Cannot set '${typed}': must be one of ${known}`, hint);
}

function assertExists({ profiles }: Profiles, name: string): void {
  if (Object.hasOwn(profiles, name)) return;
  throw new CliError(`Cannot find profile '${name}'`, {
    exitCode: EXIT.NOT_FOUND,
    hint: nearest(name, Object.keys(profiles)) ?? "See 'mpctl config list'",
  });
}
