import { CliError } from "../errors/cli_error.ts";

/** The characters of a bearer token (RFC 6750, section 2.1); as long as a header may be. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{1,16000}=*$/;

/**
 * Checks a token before it goes into a header or a file.
 * @param where for the error, which never contains the token
 * @throws {CliError}
 */
export function bearerToken(text: string, where: string): string {
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  const problem = token === "" ? "it is empty" : "it has characters or a length that no token has";
  throw new CliError(`Cannot use the token ${where}: ${problem}`);
}

/** The times in a JWT, in milliseconds since 1970; undefined if it has none or is no JWT. */
export function timesOf(
  token: string,
): { readonly issuedAt: number | undefined; readonly expiresAt: number | undefined } {
  const [, payload = ""] = token.split(".");
  try {
    const { iat, exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const ms = (seconds: unknown) => typeof seconds === "number" ? seconds * 1_000 : undefined;
    return { issuedAt: ms(iat), expiresAt: ms(exp) };
  } catch {
    // A token of another kind.
    return { issuedAt: undefined, expiresAt: undefined };
  }
}
