import type { TlsFiles } from "@mpc/client";
import { CliError } from "../errors/cli_error.ts";
import type { IssuerLogin } from "./credentials_file.ts";
import { audienceForm, IssuerFailure, openIssuer, tokensOf } from "./issuer.ts";

/**
 * Fetches the next token of a login (RFC 6749, section 6). While the issuer is away, a token that has
 * not expired yet is used.
 * @throws {CliError} if the login is over
 */
export async function refreshLogin(
  login: IssuerLogin,
  tls: TlsFiles | undefined,
): Promise<IssuerLogin> {
  if (login.refreshToken === "") {
    if (Date.now() < login.expiresAt) return login;
    throw over(login, "it has expired, and the issuer gave no refresh token");
  }
  try {
    const issuer = await openIssuer(login.issuer, tls);
    const answer = await issuer.post(issuer.tokenEndpoint, {
      grant_type: "refresh_token",
      refresh_token: login.refreshToken,
      client_id: login.clientId,
      ...audienceForm(login),
    });
    const tokens = tokensOf(issuer, login, answer, Date.now());
    // An issuer that does not rotate refresh tokens sends none.
    return { ...login, ...tokens, refreshToken: tokens.refreshToken || login.refreshToken };
  } catch (error) {
    if (!(error instanceof IssuerFailure)) throw error;
    if (error.isPassing && Date.now() < login.expiresAt) return login;
    if (error.code !== "") throw over(login, `${login.issuer} does not renew it (${error.code})`);
    throw error;
  }
}

const over = ({ server, profile }: IssuerLogin, why: string): CliError =>
  new CliError(`The sign-in at ${server} is over: ${why}`, {
    hint: `Sign in again with 'mpctl login${
      profile && ` --profile ${profile}`
    } --server ${server}'`,
  });
