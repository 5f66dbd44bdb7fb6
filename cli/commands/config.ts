import { CliError, usageError } from "../cli_error.ts";
import { chosenProfile, findSettings, type GlobalFlags } from "../config.ts";
import { EXIT } from "../exit_codes.ts";
import type { Host } from "../host/mod.ts";
import { nearest } from "../nearest.ts";
import { isForPeople, parseOutput } from "../output/format.ts";
import { machineText } from "../output/machine_text.ts";
import { renderTable } from "../output/table.ts";
import {
  assertProfileName,
  type Profile,
  type Profiles,
  profilesPath,
  readProfiles,
  writeProfiles,
} from "../profiles.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../settings.ts";
import type { Terminal } from "../terminal.ts";

/** The profile that `config set` makes where none is current. */
const FIRST_PROFILE = "default";

/** `mpctl config view` */
export async function view(
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
  terminal.out(renderTable(headers, rows, flags.headers ?? true));
  return EXIT.OK;
}

/** `mpctl config list` */
export async function list(terminal: Terminal, host: Host, flags: GlobalFlags): Promise<number> {
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
    terminal.err("No profiles: 'mpctl config set server URL --profile NAME' makes one\n");
    return EXIT.OK;
  }
  const rows = names.map((name) => [
    name === current ? "*" : "",
    name,
    ...SETTING_NAMES.map((setting) => file.profiles[name]?.[setting] ?? "-"),
  ]);
  const headers = ["CURRENT", "NAME", ...SETTING_NAMES.map((name) => name.toUpperCase())];
  terminal.out(renderTable(headers, rows, flags.headers ?? true));
  return EXIT.OK;
}

/** `mpctl config use` */
export async function use(terminal: Terminal, host: Host, profile: string): Promise<number> {
  const file = await readProfiles(host);
  assertThere(file, profile);
  await writeProfiles(host, { ...file, current: profile });
  terminal.err(`Profile '${profile}' is the current one\n`);
  return EXIT.OK;
}

/** `mpctl config set`, and without a value `mpctl config unset` */
export async function set(
  terminal: Terminal,
  host: Host,
  setting: string,
  value: string | undefined,
  flags: GlobalFlags,
): Promise<number> {
  const key = settingName(setting);
  if (value !== undefined) SETTINGS[key].parse(value);
  const file = await readProfiles(host);
  const name = flags.profile ?? (host.env("MPC_PROFILE") || file.current || FIRST_PROFILE);
  assertProfileName(name);
  if (value === undefined) assertThere(file, name);
  const { [key]: _, ...rest }: Profile = file.profiles[name] ?? {};
  const profile = value === undefined ? rest : { ...rest, [key]: value };
  await writeProfiles(host, {
    // The first profile is the one that is meant.
    current: file.current || name,
    profiles: { ...file.profiles, [name]: profile },
  });
  terminal.err(`Profile '${name}' in ${profilesPath(host)} is written\n`);
  return EXIT.OK;
}

/** `mpctl config delete` */
export async function remove(terminal: Terminal, host: Host, name: string): Promise<number> {
  const file = await readProfiles(host);
  assertThere(file, name);
  const { [name]: _, ...profiles } = file.profiles;
  await writeProfiles(host, { current: file.current === name ? "" : file.current, profiles });
  terminal.err(`Profile '${name}' is deleted\n`);
  return EXIT.OK;
}

function settingName(typed: string): SettingName {
  const name = SETTING_NAMES.find((known) => known === typed);
  if (name) return name;
  const known = SETTING_NAMES.join(", ");
  const hint = nearest(typed, SETTING_NAMES) ?? "";
  throw usageError(`Cannot set '${typed}': must be one of ${known}`, hint);
}

function assertThere({ profiles }: Profiles, name: string): void {
  if (Object.hasOwn(profiles, name)) return;
  throw new CliError(`Cannot find profile '${name}'`, {
    exitCode: EXIT.NOT_FOUND,
    hint: nearest(name, Object.keys(profiles)) ?? "See 'mpctl config list'",
  });
}
