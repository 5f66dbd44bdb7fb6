/**
 * The file with the profiles: named sets of settings, one of them current, like kubectl's contexts.
 */
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { assertFitsProfile, SETTING_NAMES, type SettingName } from "./settings.ts";

/** The settings of a profile, as text. */
export type Profile = { readonly [Name in SettingName]?: string };

export interface Profiles {
  /** The default profile; empty if there is none. */
  readonly current: string;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const NO_PROFILES: Profiles = { current: "", profiles: {} };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The file's path: `MPC_CONFIG`, or `mpc/config.yaml` in the XDG configuration directory. */
export function profilesPath(host: Host): string {
  const named = host.env("MPC_CONFIG");
  if (named) return named;
  const home = host.env("XDG_CONFIG_HOME") ||
    (host.platform === "windows" ? host.env("APPDATA") : `${host.env("HOME") ?? "."}/.config`);
  return `${home}/mpc/config.yaml`;
}

/**
 * Reads the file; without a file there are no profiles.
 * @throws {CliError} usage, with line and column, or with every invalid key
 */
export async function readProfiles(host: Host): Promise<Profiles> {
  const path = profilesPath(host);
  const text = await host.readTextFile(path);
  if (text === undefined) return NO_PROFILES;
  // Loaded on demand: most runs have no such file.
  const { parseYaml } = await import("../manifests/parse_yaml.ts");
  const [document] = parseYaml(text, path);
  const problems = [...problemsOf(document?.value ?? {})];
  if (problems.length === 0) return { ...NO_PROFILES, ...document?.value as Partial<Profiles> };
  throw new CliError(
    `Cannot use '${path}':\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    { exitCode: EXIT.USAGE },
  );
}

/** A change of the file: the place of a value, and the value; undefined removes it. */
export type ProfilesEdit = readonly [path: readonly string[], value: string | undefined];

/** Changes values in the file; its comments stay. */
export async function editProfiles(host: Host, edits: readonly ProfilesEdit[]): Promise<void> {
  const { parseDocument } = await import("yaml");
  const path = profilesPath(host);
  const document = parseDocument(await host.readTextFile(path) ?? "");
  for (const [at, value] of edits) {
    if (value === undefined) document.deleteIn(at);
    else document.setIn(at, value);
  }
  await host.writeTextFile(path, String(document));
}

/** @throws {CliError} usage, if the name is not allowed */
export function assertProfileName(name: string): void {
  if (NAME.test(name) && !(name in Object.prototype)) return;
  throw usageError(`Cannot use profile '${name}': must be letters, digits, '.', '_' and '-'`);
}

function* problemsOf(file: unknown): Generator<string> {
  if (!isObject(file)) return yield "must be an object with 'current' and 'profiles'";
  const { current = "", profiles = {}, ...unknown } = file;
  for (const key of Object.keys(unknown)) yield `${key}: unknown key (known: current, profiles)`;
  if (typeof current !== "string") yield "current: must be the name of a profile";
  if (!isObject(profiles)) return yield "profiles: must be an object of profiles by name";
  if (typeof current === "string" && current !== "" && !Object.hasOwn(profiles, current)) {
    yield `current: there is no profile '${current}' (there are: ${
      Object.keys(profiles).join(", ") || "none"
    })`;
  }
  for (const [name, profile] of Object.entries(profiles)) {
    yield* profileProblems(`profiles.${name}`, profile);
  }
}

function* profileProblems(path: string, profile: unknown): Generator<string> {
  if (!isObject(profile)) return yield `${path}: must be an object of settings`;
  for (const [key, value] of Object.entries(profile)) {
    const setting = SETTING_NAMES.find((name) => name === key);
    if (!setting) yield `${path}.${key}: unknown key (known: ${SETTING_NAMES.join(", ")})`;
    else if (typeof value !== "string") yield `${path}.${key}: must be text`;
    else {
      try {
        assertFitsProfile(setting, value);
      } catch (error) {
        yield `${path}.${key}: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
