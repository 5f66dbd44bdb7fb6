/** A real OIDC issuer, `oidc-provider`, in the test's own process on a loopback address. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
import { Provider } from "oidc-provider";

/** What a resource of the tests is called; access tokens for it are JWTs. */
export const AUDIENCE = "https://mpc.example";

/** The public client of mpctl. */
export const CLIENT_ID = "mpctl";

const ROBOT = { id: "robot", secret: "the-secret-of-the-robot" };

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly key: PrivateKey;
}

/** How the documents that verifiers read are served. */
export type Conduct =
  | "well"
  /** Connections are cut. */
  | "away"
  /** Requests are not answered until the conduct changes. */
  | "slow"
  /** The keys are megabytes long. */
  | "huge"
  /** The keys are said to be elsewhere. */
  | "redirecting";

export interface OidcIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** How often the keys were asked for. */
  readonly keyRequests: number;
  conduct: Conduct;
  /** Signs a token with the current key: for ann, valid for five minutes unless the claims differ. */
  token(claims?: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** An access token for {@linkcode AUDIENCE} by the client credentials grant. */
  clientToken(): Promise<string>;
  /** Signs in as a user where a device flow has sent them, and allows what it asks for. */
  approveDevice(verificationUri: string, user: string): Promise<void>;
  /** Replaces the keys; tokens of the old ones are no longer valid. */
  rotateKeys(): Promise<void>;
  /** The public key in PEM, as everybody knows it. */
  publicKey(): Promise<string>;
}

/** Starts an issuer on a free port. */
export async function startOidcIssuer(
  options: {
    /** The clock that tokens are made by. */
    readonly now?: () => number;
    /** The groups of each user. */
    readonly groups?: Readonly<Record<string, readonly string[]>>;
  } = {},
): Promise<OidcIssuer> {
  const { now = Date.now, groups = {} } = options;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let conduct: Conduct = "well";
  let keyRequests = 0;
  let held: (() => void)[] = [];
  let generation = 0;
  let current: SigningKey;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  async function rotateKeys(): Promise<void> {
    const alg = "RS256";
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${++generation}`;
    current = { kid, alg, key: privateKey };
    const jwk = { ...await exportJWK(privateKey), kid, alg, use: "sig" };
    answer = new Provider(issuer, configuration(jwk, groups)).callback();
  }
  await rotateKeys();

  server.on("request", (request, response) => {
    const path = request.url ?? "/";
    const isKeys = path === "/jwks";
    if (isKeys) keyRequests++;
    if (conduct === "well" || !(isKeys || path.startsWith("/.well-known/"))) {
      return answer(request, response);
    }
    switch (conduct) {
      case "away":
        return request.socket.destroy();
      case "slow":
        held.push(() => answer(request, response));
        return;
      case "huge":
        if (!isKeys) return answer(request, response);
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ keys: [], padding: "x".repeat(2_000_000) }));
        return;
      case "redirecting":
        if (!isKeys) return answer(request, response);
        response.writeHead(302, { location: `${issuer}/elsewhere` }).end();
    }
  });

  return {
    issuer,
    get keyRequests() {
      return keyRequests;
    },
    get conduct() {
      return conduct;
    },
    set conduct(value) {
      conduct = value;
      for (const release of held) release();
      held = [];
    },
    token(claims = {}, header = {}) {
      const { kid, alg, key } = current;
      const time = Math.floor(now() / 1_000);
      return new SignJWT({
        iss: issuer,
        aud: AUDIENCE,
        sub: "ann",
        email: "ann@example.com",
        groups: ["developers"],
        iat: time,
        exp: time + 300,
        ...claims,
      }).setProtectedHeader({ alg, kid, typ: "JWT", ...header }).sign(key);
    },
    async clientToken() {
      const response = await fetch(`${issuer}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${ROBOT.id}:${ROBOT.secret}`)}` },
        body: new URLSearchParams({ grant_type: "client_credentials", resource: AUDIENCE }),
      });
      const { access_token: token } = await response.json();
      if (typeof token !== "string") throw new Error("the issuer gave no access token");
      return token;
    },
    approveDevice: (verificationUri, user) => signInBy(verificationUri, user),
    rotateKeys,
    async publicKey() {
      const { exportSPKI, importJWK } = await import("jose");
      const { keys: [jwk] } = await (await fetch(`${issuer}/jwks`)).json();
      return await exportSPKI(
        await importJWK(jwk, current.alg, { extractable: true }) as PrivateKey,
      );
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuration(jwk: object, groups: Readonly<Record<string, readonly string[]>>) {
  const claimsOf = (user: string) => ({
    sub: user,
    email: `${user}@example.com`,
    email_verified: true,
    groups: groups[user] ?? [],
  });
  return {
    jwks: { keys: [jwk] },
    cookies: { keys: ["a key of the tests"] },
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: "none",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        redirect_uris: [],
        response_types: [],
        application_type: "native",
      },
      {
        client_id: ROBOT.id,
        client_secret: ROBOT.secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["openid", "profile", "email", "offline_access"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["groups"] },
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, user: string) => ({
      accountId: user,
      claims: () => claimsOf(user),
    }),
    extraTokenClaims: (_context: unknown, token: { readonly accountId?: string }) =>
      token.accountId === undefined ? {} : claimsOf(token.accountId),
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "",
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
        }),
      },
    },
  };
}

/** What a browser does on the issuer's pages, by the forms on them. */
async function signInBy(start: string, user: string): Promise<void> {
  const cookies = new Map<string, string>();
  let page = await visit(new URL(start));
  for (let forms = 0; forms < 6; forms++) {
    const form = /<form[^>]*action="([^"]+)"[^>]*>(.*?)<\/form>/s.exec(page.text);
    if (!form) return;
    const [, action = "", content = ""] = form;
    const fields = new URLSearchParams();
    for (const [input] of content.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]+)"/.exec(input)?.[1];
      if (name) fields.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? "");
    }
    if (fields.has("login")) fields.set("login", user);
    if (fields.has("password")) fields.set("password", "any");
    page = await visit(new URL(action, page.url), fields);
  }
  throw new Error(`cannot sign in at ${start}: the last page is ${page.text.slice(0, 500)}`);

  async function visit(url: URL, form?: URLSearchParams) {
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form && { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = response.headers.get("location");
    const text = await response.text();
    if (location !== null) return await visit(new URL(location, url));
    if (!response.ok) throw new Error(`${url.pathname} answers with ${response.status}: ${text}`);
    return { url, text };
  }
}
