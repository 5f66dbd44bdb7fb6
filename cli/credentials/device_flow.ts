import type { Timing } from "@mpc/client";
import { CliError, EXIT } from "../errors/cli_error.ts";
import {
  audienceForm,
  type Client,
  type Fields,
  type Issuer,
  IssuerFailure,
  printable,
  type Tokens,
  tokensOf,
} from "./issuer.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const DEFAULT_INTERVAL_S = 5;
const SLOW_DOWN_S = 5;
const DEFAULT_LIFE_S = 600;
const LONGEST_INTERVAL_S = 60;

/** What the user must do in a browser. */
export interface Prompt {
  readonly uri: string;
  readonly code: string;
  /** The address with the code in it; empty if there is none. */
  readonly completeUri: string;
  readonly lifeMs: number;
}

export interface DeviceFlowOptions {
  readonly scopes: readonly string[];
  readonly prompt: (prompt: Prompt) => void;
  /** Reports that the issuer does not answer, once. */
  readonly note: (text: string) => void;
  readonly timing: Pick<Timing, "now" | "pause">;
}

/**
 * Signs in by the device flow (RFC 8628): the user enters a code in any browser, while this polls.
 * @throws {CliError} if the user or the issuer refuses, or the code expires
 */
export async function deviceFlow(
  issuer: Issuer,
  client: Client,
  { scopes, prompt, note, timing }: DeviceFlowOptions,
): Promise<Tokens> {
  if (!issuer.deviceEndpoint) {
    throw new CliError(`Cannot sign in at ${issuer.url}: it does not offer the device flow`, {
      hint: "Use a token: 'mpctl login --with-token', '--token-file' or '--token-command'",
    });
  }
  const begun = await issuer.post(issuer.deviceEndpoint, {
    client_id: client.clientId,
    scope: scopes.join(" "),
    ...audienceForm(client),
  });
  const deviceCode = begun.get("device_code");
  if (typeof deviceCode !== "string") throw noField(issuer, "device_code");
  const lifeMs = seconds(begun, "expires_in", DEFAULT_LIFE_S) * 1_000;
  const expiresAt = timing.now() + lifeMs;
  prompt({
    uri: address(issuer, begun, "verification_uri"),
    code: shownCode(issuer, begun),
    completeUri: begun.has("verification_uri_complete")
      ? address(issuer, begun, "verification_uri_complete")
      : "",
    lifeMs,
  });
  let interval = Math.max(1, seconds(begun, "interval", DEFAULT_INTERVAL_S));
  let reported = false;
  const form = { grant_type: GRANT, device_code: deviceCode, client_id: client.clientId };
  for (;;) {
    if (timing.now() + interval * 1_000 > expiresAt) throw expired(issuer);
    await timing.pause(interval * 1_000, undefined);
    try {
      const answer = await issuer.post(issuer.tokenEndpoint, form);
      return tokensOf(issuer, client, answer, Date.now());
    } catch (error) {
      if (!(error instanceof IssuerFailure)) throw error;
      if (error.isPassing) {
        // Twice the pause after each (RFC 8628, section 3.5).
        interval = Math.max(interval, Math.min(interval * 2, LONGEST_INTERVAL_S));
        if (!reported) note(`${error.message}; trying again`);
        reported = true;
        continue;
      }
      if (error.code === "authorization_pending") continue;
      if (error.code === "slow_down") interval += SLOW_DOWN_S;
      else throw failed(issuer, error);
    }
  }
}

function failed(issuer: Issuer, error: IssuerFailure): CliError {
  if (error.code === "expired_token") return expired(issuer);
  if (error.code !== "access_denied") return error;
  return new CliError(`Cannot sign in at ${issuer.url}: access was denied there`, {
    hint: "Run 'mpctl login' again to try once more",
  });
}

const expired = (issuer: Issuer): CliError =>
  new CliError(`Cannot sign in at ${issuer.url}: the code expired before it was confirmed`, {
    exitCode: EXIT.TIMEOUT,
    hint: "Run 'mpctl login' again for another code",
  });

const noField = (issuer: Issuer, name: string): CliError =>
  new CliError(`Cannot sign in at ${issuer.url}: its answer has no usable ${name}`);

function seconds(fields: Fields, name: string, fallback: number): number {
  const value = fields.get(name);
  return typeof value === "number" && value > 0 ? value : fallback;
}

function address(issuer: Issuer, fields: Fields, name: string): string {
  const url = URL.parse(String(fields.get(name) ?? ""));
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw noField(issuer, name);
}

function shownCode(issuer: Issuer, fields: Fields): string {
  const code = fields.get("user_code");
  if (typeof code === "string" && code !== "") return printable(code);
  throw noField(issuer, "user_code");
}
