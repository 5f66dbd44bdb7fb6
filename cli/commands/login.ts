import { isPrivate, pause } from "@mpc/client";
import { AccessService, type GetSignInResponse, type Issuer, TokenService } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { bearerToken } from "../credentials/bearer_token.ts";
import { changeLogin, type Login, type LoginOf } from "../credentials/credentials_file.ts";
import { deviceFlow, type Prompt } from "../credentials/device_flow.ts";
import { openIssuer, printable } from "../credentials/issuer.ts";
import { tokensOfLogin } from "../credentials/token_source.ts";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import { nearest } from "../errors/nearest.ts";
import { elapsed } from "../output/time.ts";

export interface LoginFlags {
  readonly issuer?: string | undefined;
  readonly withToken?: true | undefined;
  readonly tokenFile?: string | undefined;
  readonly tokenCommand?: string | undefined;
}

/** `mpctl login`: keeps a sign-in once the server has accepted it. */
export async function login(context: CommandContext, flags: LoginFlags): Promise<number> {
  const { config, terminal, host } = context;
  const of: LoginOf = { profile: config.profile, server: config.server.href };
  // Whoever can change the connection could name an issuer of their own.
  if (!isPrivate(config.server)) {
    throw usageError(
      `Cannot sign in at ${of.server}: the connection is not encrypted`,
      "Use https:// or grpcs://, or a tunnel to a loopback address",
    );
  }
  const found = await givenLogin(context, of, flags) ?? await loginAtIssuer(context, of, flags);
  const { principal } = await withConnection(
    { terminal, config: { ...config, credentials: tokensOfLogin(host, found) } },
    (connection) => connection.client(AccessService).whoAmI({}),
  );
  await changeLogin(host, of, () => Promise.resolve(found));
  const profile = config.profile && ` with profile '${config.profile}'`;
  terminal.err(`Signed in at ${of.server} as ${printable(principal)}${profile}\n`);
  if (host.env("MPC_TOKEN")) {
    terminal.err("MPC_TOKEN is set: its token is used in place of this sign-in\n");
  }
  return EXIT.OK;
}

/** The login that the flags give. */
async function givenLogin(
  { host, terminal }: CommandContext,
  of: LoginOf,
  { withToken, tokenFile, tokenCommand }: LoginFlags,
): Promise<Login | undefined> {
  if (tokenCommand !== undefined) return { ...of, kind: "command", command: tokenCommand };
  if (tokenFile !== undefined) {
    const isAbsolute = /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(tokenFile);
    return { ...of, kind: "file", path: isAbsolute ? tokenFile : `${host.cwd()}/${tokenFile}` };
  }
  if (!withToken) return undefined;
  if (terminal.interactive) terminal.err("Paste a token, then press ctrl-D\n");
  const token = bearerToken(await host.readStdin(), "from standard input");
  return { ...of, kind: "token", token };
}

/** Signs in in a browser, at the issuer that the server names. */
async function loginAtIssuer(
  context: CommandContext,
  of: LoginOf,
  flags: LoginFlags,
): Promise<Login> {
  const { config: { credentials: _, ...config }, terminal } = context;
  const anonymous = {
    terminal,
    config: { ...config, credentials: () => Promise.resolve(undefined) },
  };
  const signIn = await withConnection(
    anonymous,
    (connection) => connection.client(TokenService).getSignIn({}),
  );
  const { issuer, clientId, audience, scopes } = chosenIssuer(signIn, of.server, flags.issuer);
  const client = { clientId, audience };
  const tokens = await deviceFlow(await openIssuer(issuer, config.tls), client, {
    scopes,
    prompt: (prompt) => terminal.err(promptText(prompt)),
    note: (text) => terminal.err(`${text}\n`),
    timing: { now: () => performance.now(), pause },
  });
  return { ...of, kind: "issuer", issuer, ...client, ...tokens };
}

function chosenIssuer(
  { issuers, tokensAccepted, credentialsRequired }: GetSignInResponse,
  server: string,
  typed: string | undefined,
): Issuer {
  const usable = issuers.filter(({ clientId }) => clientId !== "");
  if (usable.length === 0) {
    const withToken = tokensAccepted ? "Ask for a token, and run 'mpctl login --with-token'" : "";
    throw new CliError(`Cannot sign in at ${server}: it has no issuer to sign in at`, {
      hint: credentialsRequired ? withToken : "It requires no credentials",
    });
  }
  const names = usable.map(({ name }) => name);
  if (typed === undefined) {
    if (usable.length === 1) return usable[0]!;
    throw usageError(
      `Cannot sign in at ${server}: it has several issuers`,
      `Choose one with --issuer: ${names.map(printable).join(", ")}`,
    );
  }
  const found = usable.find(({ name, issuer }) => name === typed || issuer === typed);
  if (found) return found;
  throw usageError(
    `Cannot sign in at issuer '${typed}': must be one of ${names.map(printable).join(", ")}`,
    nearest(typed, names) ?? "",
  );
}

function promptText({ uri, code, completeUri, lifeMs }: Prompt): string {
  return [
    `Open ${uri} in a browser, and enter the code ${code}`,
    ...(completeUri ? [`or open ${completeUri}, and compare the code`] : []),
    `Waiting for ${elapsed(lifeMs)}; ctrl-C to stop`,
    "",
  ].join("\n");
}
