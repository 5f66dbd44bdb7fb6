import type { CommandContext } from "../context.ts";
import { changeLogin, findLogin, type IssuerLogin } from "../credentials/credentials_file.ts";
import { openIssuer } from "../credentials/issuer.ts";
import { EXIT } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";

/** `mpctl logout`: forgets the sign-in in any case, and fails if its issuer cannot revoke it. */
export async function logout(context: CommandContext): Promise<number> {
  const { config, terminal, host } = context;
  const of = { profile: config.profile, server: config.server.href };
  const reportVariable = () => {
    if (host.env("MPC_TOKEN")) terminal.err("MPC_TOKEN is still set, and is used for calls\n");
  };
  const login = await findLogin(host, of);
  if (!login) {
    const profile = of.profile && ` with profile '${of.profile}'`;
    terminal.err(`Not signed in at ${of.server}${profile}\n`);
    reportVariable();
    return EXIT.OK;
  }
  // The token may have been renewed since: the last one is the one to revoke.
  let last = login;
  await changeLogin(host, of, (login) => {
    last = login ?? last;
    return Promise.resolve(undefined);
  });
  terminal.err(`Signed out of ${of.server}\n`);
  reportVariable();
  if (last.kind !== "issuer") return EXIT.OK;
  try {
    if (!await revoke(last, context)) {
      terminal.err(`${last.issuer} cannot revoke tokens: the last one expires by itself\n`);
    }
    return EXIT.OK;
  } catch (error) {
    const { text, exitCode } = renderError(error, config);
    terminal.err(`The sign-in is forgotten here, and not revoked at its issuer\n${text}`);
    return exitCode;
  }
}

/** Revokes a login (RFC 7009). @returns whether its issuer can do that */
async function revoke(login: IssuerLogin, { config }: CommandContext): Promise<boolean> {
  if (login.refreshToken === "") return false;
  const issuer = await openIssuer(login.issuer, config.tls);
  if (!issuer.revocationEndpoint) return false;
  await issuer.post(issuer.revocationEndpoint, {
    token: login.refreshToken,
    token_type_hint: "refresh_token",
    client_id: login.clientId,
  });
  return true;
}
