import process from "node:process";
import { usageError } from "./cli_error.ts";

export type OutputFormat = "table" | "wide" | "json" | "yaml" | "name";

const FORMATS: readonly OutputFormat[] = ["table", "wide", "json", "yaml", "name"];

const DEFAULT_SERVER = "http://127.0.0.1:8080";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly server?: string | undefined;
  readonly output?: string | undefined;
  readonly headers?: boolean | undefined;
}

/** How this run of mpctl talks to the server and to the person. */
export interface CliConfig {
  readonly server: URL;
  readonly output: OutputFormat;
  readonly headers: boolean;
  /** Whether colours may be used, on a terminal. */
  readonly color: boolean;
}

/**
 * Puts flags, environment and defaults together, in that order.
 * @throws {CliError} usage
 */
export function readConfig(flags: GlobalFlags): CliConfig {
  return {
    server: parseServer(flags.server ?? configuredServer()),
    output: parseOutput(flags.output ?? "table"),
    headers: flags.headers ?? true,
    color: !process.env["NO_COLOR"],
  };
}

/** The server that is used when no flag says otherwise. */
export function configuredServer(): string {
  return process.env["MPC_SERVER"] ?? DEFAULT_SERVER;
}

function parseServer(text: string): URL {
  const url = URL.parse(text);
  if (url && /^(https?|grpcs?):$/.test(url.protocol) && url.host !== "") return url;
  throw usageError(
    `Cannot use server '${text}': must be a URL such as ${DEFAULT_SERVER} or grpc://127.0.0.1:50051`,
  );
}

function parseOutput(text: string): OutputFormat {
  const format = FORMATS.find((known) => known === text);
  if (format) return format;
  throw usageError(`Cannot print as '${text}': -o must be one of ${FORMATS.join(", ")}`);
}
