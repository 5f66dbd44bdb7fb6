import type { CallTracer, Credentials, TlsFiles } from "@mpc/client";
import type { LoginOf } from "../credentials/credentials_file.ts";
import { CliError, EXIT } from "../errors/cli_error.ts";
import { nearest } from "../errors/nearest.ts";
import type { Host } from "../host/mod.ts";
import { type Profile, type Profiles, profilesPath, readProfiles } from "./profiles.ts";
import { readTlsFiles } from "./read_tls_files.ts";
import { SETTING_NAMES, type SettingName, SETTINGS, type Settings } from "./settings.ts";

/** Flags of every command. */
export interface GlobalFlags {
  readonly server?: string | undefined;
  readonly output?: string | undefined;
  readonly env?: string | undefined;
  readonly profile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly headers?: boolean | undefined;
  readonly trace?: boolean | undefined;
  /** In milliseconds. */
  readonly requestTimeout?: number | undefined;
  /** Of commands that wait, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** How long a server may be unreachable, for instance to restart, if there is no `--timeout`. */
const RECONNECT_MS = 120_000;

/** How this run of mpctl calls the server and prints. */
export interface CliConfig extends Pick<Settings, "server" | "output" | "environment"> {
  /** The profile; empty if there is none. */
  readonly profile: string;
  /** The token of each call: `MPC_TOKEN`, or what `mpctl login` has kept. */
  readonly credentials: Credentials;
  /** Undefined without any of its files. */
  readonly tls: TlsFiles | undefined;
  /** Makes spans of calls; absent if nobody wants them. */
  readonly tracer?: CallTracer | undefined;
  /** What to do when the server refuses the credentials. */
  readonly signInHint: string;
  readonly headers: boolean;
  /** The value of `--env`. */
  readonly typedEnvironment: string | undefined;
  /** How long one call may take; undefined for the client's default. */
  readonly requestTimeoutMs: number | undefined;
  /** How long a server that has answered may be unreachable before a command gives up. */
  readonly reconnectMs: number;
  /** Whether colours may be used, on a terminal (no-color.org). */
  readonly color: boolean;
}

/** A setting's value and origin. */
export interface Origin {
  readonly text: string;
  /** Where it was set, as text for the user. */
  readonly origin: string;
}

/**
 * Reads each setting from its flag, environment variable, profile or default, in that order.
 * @throws {CliError} usage
 */
export async function readConfig(flags: GlobalFlags, host: Host): Promise<CliConfig> {
  const file = await readProfiles(host);
  const { name: profile } = chosenProfile(flags, host, file);
  const found = settingsOf(flags, host, file);
  const parse = <Name extends SettingName>(name: Name) => SETTINGS[name].parse(found[name].text);
  const server = parse("server");
  const tls = await readTlsFiles(found, host);
  return {
    server,
    profile,
    tls,
    credentials: lazyCredentials(host, { profile, server: server.href }, tls),
    signInHint: signInHint(server, flags, host),
    output: parse("output"),
    environment: parse("environment"),
    typedEnvironment: flags.env,
    headers: flags.headers ?? true,
    requestTimeoutMs: flags.requestTimeout,
    reconnectMs: flags.timeout ?? RECONNECT_MS,
    color: !host.env("NO_COLOR"),
  };
}

/** The value and origin of every setting. */
export async function findSettings(
  flags: GlobalFlags,
  host: Host,
): Promise<Readonly<Record<SettingName, Origin>>> {
  return settingsOf(flags, host, await readProfiles(host));
}

function settingsOf(
  flags: GlobalFlags,
  host: Host,
  file: Profiles,
): Readonly<Record<SettingName, Origin>> {
  const { name, profile } = chosenProfile(flags, host, file);
  const typed = {
    server: flags.server,
    output: flags.output,
    environment: flags.env,
    "ca-file": flags.caFile,
    "client-certificate": flags.clientCertificate,
    "client-key": flags.clientKey,
  };
  const found = SETTING_NAMES.map((key): [SettingName, Origin] => {
    const { flag, variable, fallback } = SETTINGS[key];
    const fromFlag = typed[key];
    if (fromFlag !== undefined) return [key, { text: fromFlag, origin: `flag ${flag}` }];
    const fromVariable = host.env(variable);
    if (fromVariable) return [key, { text: fromVariable, origin: `environment ${variable}` }];
    const fromProfile = profile[key];
    if (fromProfile !== undefined) {
      return [key, { text: fromProfile, origin: `profile '${name}' in ${profilesPath(host)}` }];
    }
    return [key, { text: fallback, origin: "default" }];
  });
  return Object.fromEntries(found) as Record<SettingName, Origin>;
}

function signInHint({ href }: URL, flags: GlobalFlags, host: Host): string {
  if (host.env("MPC_TOKEN")) return "The token is that of MPC_TOKEN: replace it, or unset it";
  const profile = flags.profile === undefined ? "" : ` --profile ${flags.profile}`;
  const server = flags.server === undefined ? "" : ` --server ${flags.server}`;
  return `Sign in at ${href.replace(/\/$/, "")} with 'mpctl login${profile}${server}'`;
}

/**
 * Credentials that are looked for at the first call, so that commands without calls do not load the
 * code for it.
 */
function lazyCredentials(host: Host, of: LoginOf, tls: TlsFiles | undefined): Credentials {
  let found: Promise<Credentials> | undefined;
  return async (rejected) => {
    found ??= import("../credentials/token_source.ts").then(({ tokenSource }) =>
      tokenSource(host, of, tls)
    );
    return await (await found)(rejected);
  };
}

/** The profile named by `--profile`, `MPC_PROFILE` or the file, in that order. */
export function chosenProfile(
  flags: GlobalFlags,
  host: Host,
  { current, profiles }: Profiles,
): { readonly name: string; readonly profile: Profile } {
  const name = flags.profile ?? (host.env("MPC_PROFILE") || current);
  if (name === "") return { name, profile: {} };
  if (Object.hasOwn(profiles, name)) return { name, profile: profiles[name]! };
  const names = Object.keys(profiles);
  throw new CliError(`Cannot use profile '${name}': there is no such profile`, {
    exitCode: EXIT.USAGE,
    hint: nearest(name, names) ?? "See 'mpctl config list'; 'mpctl config set' makes one",
  });
}
