import type { Credentials, TlsFiles } from "@mpc/client";
import { CliError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { bearerToken } from "./bearer_token.ts";
import { changeLogin, findLogin, type Login, type LoginOf } from "./credentials_file.ts";
import { type Answer, runTokenCommand } from "./run_token_command.ts";

/**
 * The tokens for calls to a server: `MPC_TOKEN`, or what `mpctl login` has kept for it. Tokens are
 * kept in memory until they must be renewed or the server refuses them.
 */
export function tokenSource(
  host: Host,
  of: LoginOf,
  tls: TlsFiles | undefined,
): Credentials {
  const variable = host.env("MPC_TOKEN");
  if (variable) {
    const token = bearerToken(variable, "in MPC_TOKEN");
    return () => Promise.resolve(token);
  }
  return loginSource(
    host,
    () => findLogin(host, of),
    (login, isDue) => renew(host, login, isDue, tls),
  );
}

/** The tokens of a login that is not kept yet. */
export const tokensOfLogin = (host: Host, login: Login): Credentials =>
  loginSource(host, () => Promise.resolve(login), () => Promise.resolve(undefined));

function loginSource(
  host: Host,
  find: () => Promise<Login | undefined>,
  renewed: Renew,
): Credentials {
  let known: Answer | undefined;
  let asking: Promise<Answer | undefined> | undefined;
  return async (rejected) => {
    if (known && known.token !== rejected && Date.now() < known.renewAt) return known.token;
    // Calls at the same time wait for the same answer.
    asking ??= find().then((login) => ask(host, login, rejected, renewed))
      .finally(() => asking = undefined);
    known = await asking;
    return known?.token;
  };
}

type Renew = (login: Login & { kind: "issuer" }, isDue: IsDue) => Promise<Answer | undefined>;
type IsDue = (answer: Answer) => boolean;

async function ask(
  host: Host,
  login: Login | undefined,
  rejected: string | undefined,
  renewed: Renew,
): Promise<Answer | undefined> {
  switch (login?.kind) {
    case undefined:
      return undefined;
    case "token":
      return { token: login.token, renewAt: Infinity };
    case "file": {
      const text = await host.readTextFile(login.path);
      if (text !== undefined) {
        // Whoever wrote the file may replace it at any time.
        return { token: bearerToken(text, `in '${login.path}'`), renewAt: 0 };
      }
      throw new CliError(`Cannot use the token in '${login.path}': there is no such file`, {
        hint: "Sign in again with 'mpctl login'",
      });
    }
    case "command":
      return await runTokenCommand(host, login.command, login.server);
    case "issuer": {
      const isDue: IsDue = ({ token, renewAt }) => token === rejected || Date.now() >= renewAt;
      return isDue(login) ? await renewed(login, isDue) : login;
    }
  }
}

/** Renews a login by its refresh token, unless another mpctl has done so meanwhile. */
async function renew(
  host: Host,
  { profile, server }: LoginOf,
  isDue: IsDue,
  tls: TlsFiles | undefined,
): Promise<Answer | undefined> {
  const login = await changeLogin(host, { profile, server }, async (login) => {
    if (login?.kind !== "issuer" || !isDue(login)) return login;
    const { refreshLogin } = await import("./refresh_login.ts");
    return await refreshLogin(login, tls);
  });
  if (login?.kind === "issuer") return login;
  return login && await ask(host, login, undefined, () => Promise.resolve(undefined));
}
