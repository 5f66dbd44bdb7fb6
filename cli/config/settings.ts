/** The settings that a flag, an environment variable or a profile can set. */
import { usageError } from "../errors/cli_error.ts";
import { type OutputFormat, parseOutput } from "../output/format.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8080";

/** One setting. */
export interface Setting<T> {
  readonly flag: string;
  readonly variable: string;
  /** For help and completion. */
  readonly description: string;
  /** The default value. */
  readonly fallback: string;
  /** Whether the value is a path, which must be absolute in a profile. */
  readonly isPath?: true;
  /** @throws {CliError} usage, with what is expected */
  readonly parse: (text: string) => T;
}

export interface Settings {
  readonly server: URL;
  readonly output: OutputFormat;
  /** The environment of workloads that are named without one; empty for none. */
  readonly environment: string;
  /** Paths of PEM files; empty for none. */
  readonly "ca-file": string;
  readonly "client-certificate": string;
  readonly "client-key": string;
}

/** The names that profiles use. */
export type SettingName = keyof Settings;

export const SETTINGS: { readonly [Name in SettingName]: Setting<Settings[Name]> } = {
  server: {
    flag: "--server",
    variable: "MPC_SERVER",
    description: "address of the API",
    fallback: DEFAULT_SERVER,
    parse: parseServer,
  },
  output: {
    flag: "--output",
    variable: "MPC_OUTPUT",
    description: "output format of results",
    fallback: "table",
    parse: parseOutput,
  },
  environment: {
    flag: "--env",
    variable: "MPC_ENVIRONMENT",
    description: "environment of workloads",
    fallback: "",
    parse: (text) => text,
  },
  "ca-file": path("ca-file", "the only authorities to trust for the server's certificate"),
  "client-certificate": path("client-certificate", "certificate to show to the server, with a key"),
  "client-key": path("client-key", "key of the client certificate"),
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

function path(name: string, description: string): Setting<string> {
  return {
    flag: `--${name}`,
    variable: `MPC_${name.toUpperCase().replaceAll("-", "_")}`,
    description,
    fallback: "",
    isPath: true,
    parse: (text) => text,
  };
}

/**
 * Checks the value of a setting in a profile.
 * @throws {CliError} usage
 */
export function assertFitsProfile(name: SettingName, value: string): void {
  SETTINGS[name].parse(value);
  if (!SETTINGS[name].isPath || /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(value)) return;
  throw usageError(`Cannot use '${value}' as ${name} of a profile: must be an absolute path`);
}

function parseServer(text: string): URL {
  const url = URL.parse(text);
  if (url && /^(https?|grpcs?):$/.test(url.protocol) && url.host !== "") return url;
  throw usageError(
    `Cannot use server '${text}': must be a URL such as ${DEFAULT_SERVER} or grpc://127.0.0.1:50051`,
  );
}
