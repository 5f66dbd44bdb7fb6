import { Code, ConnectError } from "@connectrpc/connect";
import { type FailureOrigin, isNotFound, readFailure } from "@mpc/client";
import { EnvironmentService, WorkloadService } from "@mpc/proto";
import type { CliConfig } from "../config/read_config.ts";
import { connect } from "../context.ts";
import { idOf } from "../names.ts";
import { CliError, EXIT } from "./cli_error.ts";
import { nearest } from "./nearest.ts";

const EXIT_OF: Partial<Record<Code, number>> = {
  [Code.InvalidArgument]: EXIT.USAGE,
  [Code.OutOfRange]: EXIT.USAGE,
  [Code.NotFound]: EXIT.NOT_FOUND,
  [Code.Aborted]: EXIT.CONFLICT,
  [Code.AlreadyExists]: EXIT.CONFLICT,
  [Code.DeadlineExceeded]: EXIT.TIMEOUT,
};

/** Why the API did not answer, by the origin of the error. */
const UNREACHABLE: Partial<Record<FailureOrigin, string>> = {
  refused: "connection refused",
  unknown_host: "no such host",
  unreachable: "the network is unreachable",
  untrusted: "its certificate is not to be trusted",
  certificate_refused: "it does not accept the client certificate, or wants one",
  broken: "the connection broke",
  unavailable: "it is not available",
  foreign: "its response is not from this API",
};

const START_HINT = "Start one with 'deno task dev', or set --server or MPC_SERVER";

/** What to do about a server that was there when the call began. */
const AGAIN_HINT = "Run the command again, or see whether the server is running";

const HINTS: Partial<Record<FailureOrigin, string>> = {
  broken: AGAIN_HINT,
  unavailable: AGAIN_HINT,
  untrusted: "Name the authority that signed it with --ca-file, or correct the server's address",
  certificate_refused: "Name a certificate with --client-certificate and --client-key",
};

/** What an error says about the server that was called. */
export type ServerConfig = Pick<CliConfig, "server" | "signInHint">;

/** An error formatted for the user, and the exit code. */
export interface RenderedError {
  readonly text: string;
  readonly exitCode: number;
}

/**
 * Renders an error.
 * @param config undefined before the configuration is known
 * @param say what to do next, in place of what the API or a hint about the server says; if not empty
 */
export function renderError(
  error: unknown,
  config: ServerConfig | undefined,
  say = "",
): RenderedError {
  const next = say === "" ? undefined : say;
  if (error instanceof CliError) {
    return { text: lines(`Error: ${error.message}`, next ?? error.hint), exitCode: error.exitCode };
  }
  if (error instanceof ConnectError) return renderFailure(error, config, next);
  if (error instanceof AggregateError) {
    const all = error.errors.map((one) => renderError(one, config, say));
    return {
      text: all.map(({ text }) => text).join(""),
      exitCode: all[0]?.exitCode ?? EXIT.ERROR,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { text: lines(`Error: ${message}`, next ?? ""), exitCode: EXIT.ERROR };
}

function renderFailure(
  error: ConnectError,
  config: ServerConfig | undefined,
  next?: string,
): RenderedError {
  const { origin, code, message, violations, nextStep } = readFailure(error);
  const address = config?.server.href.replace(/\/$/, "") ?? "";
  if (origin === "timeout") {
    const what = `Error: The server at ${address} accepts calls, but did not answer in time`;
    return {
      text: lines(what, next ?? "Allow more time with --request-timeout"),
      exitCode: EXIT.TIMEOUT,
    };
  }
  const why = UNREACHABLE[origin];
  if (why) {
    // The runtime's message about a connection adds nothing, unless it is about certificates.
    const answer = error.cause === undefined || origin === "untrusted" ? ` (${message})` : "";
    const what = `Error: Cannot reach the server at ${address}: ${why}${answer}`;
    const hint = HINTS[origin] ?? START_HINT;
    return { text: lines(what, next ?? hint), exitCode: EXIT.ERROR };
  }
  if (code === Code.Unauthenticated) {
    const text = lines(`Error: ${message}`, config?.signInHint ?? nextStep);
    return { text, exitCode: EXIT.ERROR };
  }
  // The message says what is wrong with the only field.
  const details = violations.length === 1
    ? []
    : violations.map(({ field, description }) => `  ${field}: ${description}`);
  // The bad fields say themselves what is wanted.
  const todo = violations.length > 0 ? "" : nextStep;
  const text = lines(`Error: ${message}`, ...details, next ?? todo);
  return { text, exitCode: EXIT_OF[code] ?? EXIT.ERROR };
}

const lines = (...texts: readonly string[]): string =>
  texts.filter((text) => text !== "").map((text) => `${text}\n`).join("");

const OPTIONS = { timeoutMs: 1_000 };
const MAX_NAMES = 500;

/** "Did you mean …?" for an environment or a workload that does not exist. */
export async function suggestName(error: unknown, config: CliConfig): Promise<string | undefined> {
  if (!(error instanceof ConnectError) || !isNotFound(error)) return undefined;
  const missing = readFailure(error).metadata["resource"] ?? "";
  const [kind, environment, ...rest] = missing.split("/");
  if (kind !== "environments" || environment === undefined) return undefined;
  const connection = await connect({ config });
  try {
    if (rest.length === 0) {
      const client = connection.client(EnvironmentService);
      const { environments } = await client.listEnvironments({ pageSize: MAX_NAMES }, OPTIONS);
      return nearest(environment, environments.map(({ name }) => idOf(name)));
    }
    const parent = `environments/${environment}`;
    const client = connection.client(WorkloadService);
    const { workloads } = await client.listWorkloads({ parent, pageSize: MAX_NAMES }, OPTIONS);
    return nearest(idOf(missing), workloads.map(({ name }) => idOf(name)));
  } catch {
    // The error is printed in any case; the suggestion is optional.
    return undefined;
  } finally {
    connection.close();
  }
}
