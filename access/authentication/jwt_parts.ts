import { credentialsInvalid } from "./refusals.ts";

/** Longer tokens are refused unread. Headers of calls have limits of their own, too. */
export const MAX_TOKEN_LENGTH = 16 * 1024;

/** How deeply the JSON of a token may be nested. */
const MAX_DEPTH = 16;

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What a token claims. */
export interface Claims {
  readonly iss: string;
  readonly [claim: string]: unknown;
}

/**
 * Reads what a token claims, before anything of it has been verified.
 * @throws {MpcError} UNAUTHENTICATED `CREDENTIALS_INVALID` if it is no signed JWT within the limits
 */
export function claimsOf(token: string): Claims {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw credentialsInvalid(`its token is longer than ${MAX_TOKEN_LENGTH} characters`);
  }
  if (!JWT.test(token)) throw credentialsInvalid("its token is neither a static token nor a JWT");
  const [header = "", payload = ""] = token.split(".");
  readObject(header);
  const claims = readObject(payload);
  const { iss } = claims;
  if (typeof iss !== "string") throw credentialsInvalid("its token names no issuer");
  return { ...claims, iss };
}

function readObject(part: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    const bytes = Uint8Array.from(
      atob(part.replaceAll("-", "+").replaceAll("_", "/")),
      (char) => char.charCodeAt(0),
    );
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (depthOf(text) > MAX_DEPTH) throw credentialsInvalid("its token is nested too deeply");
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError || isBase64Error(cause))) {
      throw cause;
    }
    throw credentialsInvalid("its token is not a JWT", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw credentialsInvalid("its token is not a JWT");
}

const isBase64Error = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "InvalidCharacterError";

/** The depth of a JSON text, found without parsing it. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}
