/** Requests to an OpenID Connect issuer. */
import { createTlsFetch, isPrivate, type TlsFiles } from "@mpc/client";
import { CliError } from "../errors/cli_error.ts";
import { timesOf } from "./bearer_token.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1_024;

/** How long before its expiry a token is renewed, at most; for short-lived ones, a fifth of their life. */
const RENEW_BEFORE_MS = 60_000;

/** Of a token that says nothing about its expiry: it is used until the server refuses it. */
const UNKNOWN_LIFE_MS = 10 * 365 * 86_400_000;

/** An issuer as its discovery document describes it (OpenID Connect Discovery 1.0). */
export interface Issuer {
  readonly url: string;
  readonly tokenEndpoint: URL;
  readonly deviceEndpoint: URL | undefined;
  readonly revocationEndpoint: URL | undefined;
  /** Posts a form. @throws {IssuerFailure} */
  post(endpoint: URL, form: Readonly<Record<string, string>>): Promise<Fields>;
}

/** The fields of an issuer's answer. */
export type Fields = ReadonlyMap<string, unknown>;

/** The tokens of a login. */
export interface Tokens {
  /** The one to send to the server. */
  readonly token: string;
  /** Empty if there is none. */
  readonly refreshToken: string;
  readonly expiresAt: number;
  readonly renewAt: number;
}

/** What an issuer answers instead of a token. */
export class IssuerFailure extends CliError {
  /** The code of RFC 6749, such as `invalid_grant`; empty for answers without one. */
  readonly code: string;
  /** Whether the same request may succeed soon: no answer, or an error of the server. */
  readonly isPassing: boolean;

  constructor(
    message: string,
    { code = "", isPassing = false, cause }: {
      readonly code?: string;
      readonly isPassing?: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause });
    this.code = code;
    this.isPassing = isPassing;
  }
}

/**
 * Reads the discovery document of an issuer.
 * @param tls its authorities are trusted besides the usual ones, since the issuer is another server;
 *   its certificate is for the server only
 * @throws {CliError} if the issuer is not the one that was asked for, or an address is not encrypted
 */
export async function openIssuer(url: string, tls: TlsFiles | undefined): Promise<Issuer> {
  const { protocol } = privateUrl(url, url, "issuer");
  const own = protocol === "https:" && tls?.ca !== undefined
    ? createTlsFetch({ ca: tls.ca }).fetch
    : undefined;
  const at = new URL(`${url.replace(/\/$/, "")}/.well-known/openid-configuration`);
  let fetchIt: typeof fetch = fetch;
  let found: Fields;
  try {
    found = await request(fetchIt, url, at, {});
  } catch (error) {
    if (!own || !(error instanceof IssuerFailure) || error.cause === undefined) throw error;
    // No connection could be made with the usual authorities.
    fetchIt = own;
    found = await request(fetchIt, url, at, {});
  }
  if (found.get("issuer") !== url) {
    throw new CliError(`Cannot use issuer ${url}: its discovery document is of another issuer`);
  }
  const endpoint = (name: string) => {
    const value = found.get(name);
    return value === undefined ? undefined : privateUrl(String(value), url, name);
  };
  const tokenEndpoint = endpoint("token_endpoint");
  if (!tokenEndpoint) throw new CliError(`Cannot use issuer ${url}: it has no token_endpoint`);
  return {
    url,
    tokenEndpoint,
    deviceEndpoint: endpoint("device_authorization_endpoint"),
    revocationEndpoint: endpoint("revocation_endpoint"),
    post: (endpoint, form) =>
      request(fetchIt, url, endpoint, { method: "POST", body: new URLSearchParams(form) }),
  };
}

/** Who signs in, and for whom the token is. */
export interface Client {
  readonly clientId: string;
  /** Empty to send the ID token, whose audience is the client. */
  readonly audience: string;
}

/** The parameters that ask for a token for an audience: RFC 8707, and what issuers had before. */
export function audienceForm({ audience }: Client): Readonly<Record<string, string>> {
  if (audience === "") return {};
  return { audience, ...(URL.canParse(audience) && { resource: audience }) };
}

/**
 * Reads the answer of a token endpoint.
 * @throws {CliError} if a field that is needed is not there
 */
export function tokensOf(issuer: Issuer, client: Client, answer: Fields, now: number): Tokens {
  const name = client.audience === "" ? "id_token" : "access_token";
  const token = answer.get(name);
  if (typeof token !== "string" || !/^[\w\-.~+/]+=*$/.test(token)) {
    throw new CliError(`Cannot sign in at ${issuer.url}: its answer has no ${name}`);
  }
  const refreshToken = answer.get("refresh_token");
  const life = lifeOf(token, answer.get("expires_in"), now);
  return {
    token,
    refreshToken: typeof refreshToken === "string" ? refreshToken : "",
    expiresAt: now + life,
    renewAt: now + life - Math.min(RENEW_BEFORE_MS, life / 5),
  };
}

/** How long a token is valid; by its own two times, so that a clock that is off does not matter. */
function lifeOf(token: string, expiresIn: unknown, now: number): number {
  const { issuedAt, expiresAt } = timesOf(token);
  if (issuedAt !== undefined && expiresAt !== undefined) return Math.max(0, expiresAt - issuedAt);
  if (typeof expiresIn === "number" && expiresIn > 0) return expiresIn * 1_000;
  return expiresAt === undefined ? UNKNOWN_LIFE_MS : Math.max(0, expiresAt - now);
}

/** A URL to which secrets may be sent. */
function privateUrl(text: string, issuer: string, what: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && isPrivate(url)) return url;
  throw new CliError(
    `Cannot use issuer ${printable(issuer)}: its ${what} must be https:// or on a loopback address`,
  );
}

async function request(
  fetchIt: typeof fetch,
  issuer: string,
  url: URL,
  init: RequestInit,
): Promise<Fields> {
  const fail = (problem: string, options: ConstructorParameters<typeof IssuerFailure>[1]) =>
    new IssuerFailure(`Cannot sign in at ${issuer}: ${problem}`, options);
  let status: number;
  let text: string;
  try {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const headers = { accept: "application/json" };
    // A redirect could take secrets elsewhere.
    const response = await fetchIt(url, { ...init, headers, signal, redirect: "manual" });
    status = response.status;
    text = await readLimited(response);
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === "TimeoutError";
    throw fail(isLate ? "it does not answer" : "it cannot be reached", { isPassing: true, cause });
  }
  const fields = fieldsIn(text);
  if (status === 200) {
    // A revocation is answered by an empty body (RFC 7009).
    if (fields || text.trim() === "") return fields ?? new Map();
    throw fail("its answer is not a JSON object", {});
  }
  const isPassing = status >= 500 || status === 429;
  const code = fields?.get("error");
  if (typeof code !== "string" || isPassing) {
    throw fail(`it answers with HTTP ${status}`, { isPassing });
  }
  const description = fields?.get("error_description");
  const said = typeof description === "string" ? `${code}: ${description}` : code;
  throw fail(printable(said), { code: printable(code) });
}

async function readLimited(response: Response): Promise<string> {
  if (!response.body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function fieldsIn(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

/** Text of an issuer, without what could control a terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{C}+/gu, " ").slice(0, 300);
