import { CliError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { bearerToken, timesOf } from "./bearer_token.ts";

/** How long a credential command may take; it may ask the user in a browser. */
const TIMEOUT_MS = 120_000;

/** A token, and until when it may be used. */
export interface Answer {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly renewAt: number;
}

/**
 * Runs a credential command. It prints a token, or the JSON of kubectl's credential plugins
 * (ExecCredential of client.authentication.k8s.io). Without an expiry, its answer is used until mpctl
 * ends or the server refuses it.
 * @param server what the command finds in `MPC_SERVER`
 * @throws {CliError} which never contains what the command printed
 */
export async function runTokenCommand(
  host: Host,
  command: string,
  server: string,
): Promise<Answer> {
  const where = `of the command '${command}'`;
  let result;
  try {
    result = await host.runShell(command, { MPC_SERVER: server }, TIMEOUT_MS);
  } catch (cause) {
    throw new CliError(`Cannot get a token by '${command}': there is no 'sh' to run it`, { cause });
  }
  if (!result) {
    const limit = `${TIMEOUT_MS / 1_000} s`;
    throw new CliError(`Cannot get a token by '${command}': it did not end within ${limit}`);
  }
  if (result.code !== 0) {
    throw new CliError(`Cannot get a token by '${command}': it ended with code ${result.code}`);
  }
  const { token, expiry } = parse(result.out, command);
  const checked = bearerToken(token, where);
  return { token: checked, renewAt: expiry ?? timesOf(checked).expiresAt ?? Infinity };
}

function parse(out: string, command: string): { token: string; expiry: number | undefined } {
  if (!out.trimStart().startsWith("{")) return { token: out, expiry: undefined };
  const refuse = (problem: string) =>
    new CliError(`Cannot get a token by '${command}': ${problem}`);
  let status: unknown;
  try {
    status = JSON.parse(out).status;
  } catch {
    throw refuse("its output begins like JSON, and is not");
  }
  const { token, expirationTimestamp } = Object(status);
  if (typeof token !== "string") throw refuse("its JSON has no 'status.token'");
  if (expirationTimestamp === undefined) return { token, expiry: undefined };
  const expiry = Date.parse(String(expirationTimestamp));
  if (Number.isNaN(expiry)) throw refuse("its 'status.expirationTimestamp' is no time");
  return { token, expiry };
}
