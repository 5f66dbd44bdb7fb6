/** An OpenID Connect issuer on loopback that follows a script, for what real ones rarely do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** The answer to one poll: an error code of RFC 8628, an HTTP answer, or the tokens. */
export type Poll = string | { readonly status: number; readonly body: string } | "tokens";

export interface ScriptedIssuer extends AsyncDisposable {
  readonly url: string;
  /** The answers to the next polls of the device flow; after the last one come tokens. */
  readonly polls: Poll[];
  /** Fields that replace those of the device authorization response. */
  device: Readonly<Record<string, unknown>>;
  /** Fields that replace those of the discovery document. */
  discovery: Readonly<Record<string, unknown>>;
  /** How long tokens live. */
  lifeS: number;
  /** The refresh tokens that were revoked. */
  readonly revoked: string[];
  /** How many times a login was renewed. */
  readonly refreshes: number;
  /** How many times a refresh token was used a second time, which ends the login. */
  readonly reuses: number;
  /** The refresh token that is valid now. */
  readonly refreshToken: string;
  /** All tokens that were issued: secrets that nothing may print. */
  readonly secrets: readonly string[];
  /** The forms that arrived, by path. */
  readonly forms: readonly (readonly [path: string, form: URLSearchParams])[];
  /** Answers every request with HTTP 503. */
  away: boolean;
}

export async function startScriptedIssuer(
  tls?: { readonly cert: string; readonly key: string },
): Promise<ScriptedIssuer> {
  let count = 0;
  let refreshes = 0;
  let reuses = 0;
  let current = "";
  const secrets: string[] = [];
  const forms: [string, URLSearchParams][] = [];
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    let text = "";
    for await (const chunk of request) text += chunk;
    if (issuer.away) return void response.writeHead(503).end("away");
    if (path === "/.well-known/openid-configuration") {
      return void json(response, 200, {
        issuer: issuer.url,
        token_endpoint: `${issuer.url}/token`,
        device_authorization_endpoint: `${issuer.url}/device`,
        revocation_endpoint: `${issuer.url}/revoke`,
        ...issuer.discovery,
      });
    }
    const form = new URLSearchParams(text);
    forms.push([path, form]);
    if (path === "/device") {
      return void json(response, 200, {
        device_code: "device-code",
        user_code: "WDJB-MJHT",
        verification_uri: `${issuer.url}/activate`,
        expires_in: 300,
        interval: 1,
        ...issuer.device,
      });
    }
    if (path === "/revoke") {
      issuer.revoked.push(form.get("token") ?? "");
      return void response.writeHead(200).end();
    }
    if (form.get("grant_type") === "refresh_token") {
      if (form.get("refresh_token") !== current) {
        reuses++;
        current = "";
        return void json(response, 400, { error: "invalid_grant" });
      }
      refreshes++;
    } else {
      const next = issuer.polls.shift() ?? "tokens";
      if (typeof next === "object") return void response.writeHead(next.status).end(next.body);
      if (next !== "tokens") return void json(response, 400, { error: next });
    }
    const iat = Math.floor(Date.now() / 1_000);
    const claims = { iss: issuer.url, sub: "ann", iat, exp: iat + issuer.lifeS, jti: ++count };
    const part = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, "");
    const token = `${part({ alg: "none" })}.${part(claims)}.c2lnbmF0dXJl`;
    current = `refresh-secret-${count}`;
    secrets.push(token, current);
    json(response, 200, {
      id_token: token,
      access_token: token,
      refresh_token: current,
      token_type: "Bearer",
      expires_in: issuer.lifeS,
    });
  };
  const server: Server = tls ? createTlsServer({ ...tls }, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const issuer: ScriptedIssuer = {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    polls: [],
    device: {},
    discovery: {},
    lifeS: 3_600,
    revoked: [],
    away: false,
    get refreshes() {
      return refreshes;
    },
    get reuses() {
      return reuses;
    },
    get refreshToken() {
      return current;
    },
    secrets,
    forms,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}
