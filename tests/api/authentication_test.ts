/** Attacks on authentication, at every door, each with the refusal that it must get. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { Code, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { credentials, makeClientConstructor, Metadata, type ServiceError } from "@grpc/grpc-js";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { EnvironmentService, ErrorInfoSchema, TokenService } from "@mpc/proto";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { AUDIENCE, type OidcIssuer, startOidcIssuer } from "../servers/oidc_issuer.ts";
import { withFolder } from "../servers/with_folder.ts";
import { failure } from "./doors.ts";

const DOORS: Readonly<Record<string, (platform: AllInOne) => Transport & { close?: () => void }>> =
  {
    "gRPC": ({ grpcAddress: { host, port } }) =>
      createGrpcTransport(new URL(`grpc://${host}:${port}`)),
    "gRPC-Web": ({ webAddress: { host, port } }) =>
      createGrpcWebTransport({ baseUrl: `http://${host}:${port}` }),
    "Connect with JSON": ({ webAddress: { host, port } }) =>
      createConnectTransport({ baseUrl: `http://${host}:${port}` }),
  };

interface World {
  readonly oidc: OidcIssuer;
  readonly platform: AllInOne;
  /** Makes a static token, by ann. */
  readonly staticToken: (id: string) => Promise<string>;
}

/** Runs with an issuer and a server that accepts its tokens, and static ones. */
function withServer(use: (world: World) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await using oidc = await startOidcIssuer();
    const accessFile = join(folder, "access.yaml");
    await writeFile(
      accessFile,
      JSON.stringify({
        authentication: {
          tokens: true,
          oidc: [{
            name: "company",
            issuer: oidc.issuer,
            clientId: "mpctl",
            audience: AUDIENCE,
            usernameClaim: "email",
          }],
        },
        bindings: [{ role: "admin", principals: ["user:ann@example.com", "token:ci"] }],
      }),
    );
    const platform = await startAllInOne({ ...QUIET_CONFIG, accessFile });
    const transport = DOORS["Connect with JSON"]!(platform);
    const tokens = createClient(TokenService, transport);
    try {
      await use({
        oidc,
        platform,
        async staticToken(id) {
          const headers = { authorization: `Bearer ${await oidc.token()}` };
          return (await tokens.createToken({ tokenId: id }, { headers })).secret;
        },
      });
    } finally {
      await platform.close();
    }
  });
}

/** Calls a change with a header, and returns the code and the reason of its refusal. */
async function refusedBy(transport: Transport, authorization: string | null) {
  const headers = authorization === null ? {} : { authorization };
  const { createEnvironment } = createClient(EnvironmentService, transport);
  const error = await failure(
    createEnvironment({ environmentId: "stolen", environment: {} }, { headers }),
  );
  const [info] = error.findDetails(ErrorInfoSchema);
  const token = authorization?.split(" ").at(-1);
  if (token) assert.ok(!JSON.stringify([error.message, info?.metadata]).includes(token));
  return [Code[error.code], info?.reason];
}

const INVALID = ["Unauthenticated", "CREDENTIALS_INVALID"];
const EXPIRED = ["Unauthenticated", "CREDENTIALS_EXPIRED"];
const MISSING = ["Unauthenticated", "CREDENTIALS_MISSING"];

const now = () => Math.floor(Date.now() / 1_000);

const base64url = (text: string): string => Buffer.from(text).toString("base64url");

/** A token with any content, and with a signature that is none. */
const unsigned = (header: object, payload: string): string =>
  `${base64url(JSON.stringify(header))}.${base64url(payload)}.${base64url("signature")}`;

const FORGERS_KEY = generateKeyPair("RS256", { extractable: true });

/** A token that another key has signed. */
async function forged(
  { issuer }: OidcIssuer,
  header: (publicKey: object) => Partial<JWTHeaderParameters>,
): Promise<string> {
  const { privateKey, publicKey } = await FORGERS_KEY;
  return await new SignJWT({ iss: issuer, aud: AUDIENCE, sub: "ann", email: "ann@example.com" })
    .setExpirationTime(now() + 300)
    .setProtectedHeader({ alg: "RS256", kid: "key-1", ...header(await exportJWK(publicKey)) })
    .sign(privateKey);
}

async function signedBySecret({ issuer, publicKey }: OidcIssuer): Promise<string> {
  const secret = new TextEncoder().encode(await publicKey());
  return await new SignJWT({ iss: issuer, aud: AUDIENCE, sub: "ann", email: "ann@example.com" })
    .setExpirationTime(now() + 300).setProtectedHeader({ alg: "HS256", kid: "key-1" }).sign(secret);
}

async function changed(token: Promise<string>): Promise<string> {
  const [header, payload = "", signature] = (await token).split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  return [header, base64url(JSON.stringify({ ...claims, email: "eve@example.com" })), signature]
    .join(".");
}

const nested = (issuer: string, depth: number): string =>
  `{"iss":"${issuer}","a":${"[".repeat(depth)}${"]".repeat(depth)}}`;

type Attack = readonly [
  title: string,
  header: (world: World) => string | null | Promise<string | null>,
  refusal: readonly string[],
];

const bearer = (token: (world: World) => string | Promise<string>) => async (world: World) =>
  `Bearer ${await token(world)}`;

const ATTACKS: readonly Attack[] = [
  ["no credentials", () => null, MISSING],
  ["a password", () => `Basic ${btoa("ann:secret")}`, INVALID],
  ["an empty token", () => "Bearer ", INVALID],
  ["a token without its scheme", ({ oidc }) => oidc.token(), INVALID],
  ["no token at all", bearer(() => "hello"), INVALID],
  ["an expired token", bearer(({ oidc }) => oidc.token({ exp: now() - 60 })), EXPIRED],
  ["a token of tomorrow", bearer(({ oidc }) => oidc.token({ nbf: now() + 3_600 })), INVALID],
  ["a token for another audience", bearer(({ oidc }) => oidc.token({ aud: "billing" })), INVALID],
  ["a token without an audience", bearer(({ oidc }) => oidc.token({ aud: [] })), INVALID],
  [
    "a token of another issuer",
    bearer(({ oidc }) => oidc.token({ iss: "https://evil.example" })),
    INVALID,
  ],
  [
    "a token of an issuer whose name only begins the same",
    bearer(({ oidc }) => oidc.token({ iss: `${oidc.issuer}/` })),
    INVALID,
  ],
  [
    "a token that never expires",
    bearer(({ oidc }) => oidc.token(JSON.parse('{"exp":null}'))),
    INVALID,
  ],
  [
    "a token without a subject",
    bearer(({ oidc }) => oidc.token(JSON.parse('{"sub":null}'))),
    INVALID,
  ],
  ["another key with a known id", bearer(({ oidc }) => forged(oidc, () => ({}))), INVALID],
  ["an unknown key id", bearer(({ oidc }) => forged(oidc, () => ({ kid: "key-9" }))), INVALID],
  ["no key id, another key", bearer(({ oidc }) => forged(oidc, () => ({ kid: "" }))), INVALID],
  [
    "a key in the token's header",
    bearer(({ oidc }) => forged(oidc, (key) => ({ jwk: key }))),
    INVALID,
  ],
  [
    "an unknown critical header",
    bearer(({ oidc }) =>
      Promise.resolve(
        unsigned(
          { alg: "RS256", kid: "key-1", crit: ["x"], x: 1 },
          JSON.stringify({ iss: oidc.issuer }),
        ),
      )
    ),
    INVALID,
  ],
  [
    "the algorithm 'none'",
    bearer(({ oidc }) =>
      unsigned(
        { alg: "none" },
        JSON.stringify({ iss: oidc.issuer, aud: AUDIENCE, sub: "ann", exp: now() + 300 }),
      )
    ),
    INVALID,
  ],
  [
    "the algorithm 'none' without a signature",
    bearer(({ oidc }) =>
      unsigned({ alg: "none" }, JSON.stringify({ iss: oidc.issuer })).replace(/[^.]*$/, "")
    ),
    INVALID,
  ],
  ["the public key as a shared secret", bearer(({ oidc }) => signedBySecret(oidc)), INVALID],
  ["changed claims", bearer(({ oidc }) => changed(oidc.token())), INVALID],
  [
    "a name with a line break",
    bearer(({ oidc }) => oidc.token({ email: "ann@example.com\nlevel=admin" })),
    INVALID,
  ],
  [
    "an unverified email address",
    bearer(({ oidc }) => oidc.token({ email_verified: false })),
    INVALID,
  ],
  [
    "groups that are objects",
    bearer(({ oidc }) => oidc.token({ groups: [{ name: "admins" }] })),
    INVALID,
  ],
  [
    "too many groups",
    bearer(({ oidc }) => oidc.token({ groups: Array.from({ length: 501 }, (_, i) => `g${i}`) })),
    INVALID,
  ],
  [
    "a deeply nested token",
    bearer(({ oidc }) => unsigned({ alg: "RS256", kid: "key-1" }, nested(oidc.issuer, 1_500))),
    INVALID,
  ],
  ["a token that is no JSON", bearer(() => unsigned({ alg: "RS256" }, "{{{")), INVALID],
  ["a truncated static token", bearer(async (world) => (await ci(world)).slice(0, -1)), INVALID],
  [
    "a static token with one other digit",
    bearer(async (world) =>
      (await ci(world)).replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))
    ),
    INVALID,
  ],
  [
    "the secret of one static token with the id of another",
    bearer(async (world) => (await ci(world)).replace("mpc_ci_", "mpc_other_")),
    INVALID,
  ],
  [
    "the hash of a static token",
    bearer(async ({ platform, ...world }) => {
      await ci({ platform, ...world });
      const stored = await platform.store.tokens.get("tokens/ci");
      return `mpc_ci_${stored!.value.secretHash}`;
    }),
    INVALID,
  ],
  [
    "an expired static token",
    bearer(async (world) => {
      const secret = await world.staticToken("old");
      const { tokens } = world.platform.store;
      const { value, version } = (await tokens.get("tokens/old"))!;
      await tokens.replace({ ...value, expireTime: Date.now() - 1 }, version);
      return secret;
    }),
    EXPIRED,
  ],
];

const SECRETS = new WeakMap<AllInOne, Promise<string>>();

/** The static token `ci`, made once. */
function ci({ platform, staticToken }: World): Promise<string> {
  const secret = SECRETS.get(platform) ?? staticToken("ci");
  SECRETS.set(platform, secret);
  return secret;
}

for (const [door, open] of Object.entries(DOORS)) {
  Deno.test({
    name: `${door}: attacks on authentication are refused, and change nothing`,
    ...NO_SANITIZERS,
    fn: (t) =>
      withServer(async (world) => {
        const { platform } = world;
        const before = await platform.store.events.head();
        const transport = open(platform);
        for (const [title, header, refusal] of ATTACKS) {
          await t.step(title, async () => {
            const found = await refusedBy(transport, await header(world));
            assert.deepEqual(found, refusal);
          });
        }
        transport.close?.();
        assert.equal(await platform.store.events.head(), before, "no event was written");
        assert.equal(await platform.store.environments.count({}), 0, "no environment was created");
      }),
  });
}

Deno.test({
  name: "good credentials are accepted at every door",
  ...NO_SANITIZERS,
  fn: (t) =>
    withServer(async (world) => {
      const { oidc, platform } = world;
      const secret = await ci(world);
      const good: Readonly<Record<string, string>> = {
        "a token of the issuer": await oidc.token(),
        "a token that expired less than the clock skew ago": await oidc.token({ exp: now() - 10 }),
        "a token for several audiences": await oidc.token({ aud: ["billing", AUDIENCE] }),
        "a static token": secret,
      };
      for (const [door, open] of Object.entries(DOORS)) {
        const transport = open(platform);
        const { listEnvironments } = createClient(EnvironmentService, transport);
        for (const [title, token] of Object.entries(good)) {
          await t.step(`${door}: ${title}`, async () => {
            for (const scheme of ["Bearer", "bearer"]) {
              await listEnvironments({}, { headers: { authorization: `${scheme} ${token}` } });
            }
          });
        }
        transport.close?.();
      }
    }),
});

Deno.test({
  name: "the web door names the scheme of credentials",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async ({ platform: { webAddress: { host, port } } }) => {
      const call = async (headers: Record<string, string>) => {
        const url = `http://${host}:${port}/mpc.v1.EnvironmentService/ListEnvironments`;
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: "{}",
        });
        await response.body?.cancel();
        return [response.status, response.headers.get("www-authenticate")];
      };
      assert.deepEqual(await call({}), [401, "Bearer"]);
      const wrong = await call({ authorization: "Bearer wrong" });
      assert.deepEqual(wrong, [401, 'Bearer error="invalid_token"']);
    }),
});

Deno.test({
  name: "a token that is too long is refused at every door",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async ({ oidc, platform }) => {
      for (const open of Object.values(DOORS)) {
        const transport = open(platform);
        const token = await oidc.token({ padding: "x".repeat(20_000) });
        const { listEnvironments } = createClient(EnvironmentService, transport);
        await failure(listEnvironments({}, { headers: { authorization: `Bearer ${token}` } }));
        // The connection and the server go on.
        await listEnvironments({}, { headers: { authorization: `Bearer ${await oidc.token()}` } });
        transport.close?.();
      }
    }),
});

Deno.test({
  name: "keys that a token points to are not fetched",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async ({ oidc, platform }) => {
      let requests = 0;
      const elsewhere = createServer((_, response) => {
        requests++;
        response.end("{}");
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
      const address = elsewhere.address();
      assert.ok(typeof address === "object" && address);
      const url = `http://127.0.0.1:${address.port}/keys`;
      const transport = DOORS["Connect with JSON"]!(platform);
      for (const header of [{ jku: url }, { x5u: url }, { jku: url, kid: "key-9" }]) {
        const token = await forged(oidc, () => header);
        assert.deepEqual(await refusedBy(transport, `Bearer ${token}`), INVALID);
      }
      await new Promise((resolve) => elsewhere.close(resolve));
      assert.equal(requests, 0);
    }),
});

Deno.test({
  name: "several authorization headers, one of them good, are refused",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async ({ oidc, platform }) => {
      const good = `Bearer ${await oidc.token()}`;
      const { webAddress, grpcAddress } = platform;
      for (const headers of [[good, "Bearer x"], ["Bearer x", good], [good, good]]) {
        const status = await statusOfHeaders(webAddress, headers);
        assert.equal(status, 401, headers.join());
        const code = await new Promise<number | undefined>((resolve) => {
          // Clients of HTTP/2 refuse to send two; this is how a proxy joins them (RFC 9110, 5.3).
          const metadata = new Metadata();
          metadata.set("authorization", headers.join(", "));
          const Client = makeClientConstructor({}, "any");
          const client = new Client(
            `${grpcAddress.host}:${grpcAddress.port}`,
            credentials.createInsecure(),
          );
          client.makeUnaryRequest(
            "/mpc.v1.EnvironmentService/ListEnvironments",
            (bytes: Buffer) => bytes,
            (bytes: Buffer) => bytes,
            Buffer.alloc(0),
            metadata,
            (error: ServiceError | null) => {
              client.close();
              resolve(error?.code);
            },
          );
        });
        assert.equal(code, Code.Unauthenticated, headers.join());
      }
    }),
});

/** The status of a call with these headers, each on a line of its own. */
async function statusOfHeaders(
  address: { readonly host: string; readonly port: number },
  authorization: readonly string[],
): Promise<number> {
  const socket = connect(address.port, address.host);
  socket.write([
    "POST /mpc.v1.EnvironmentService/ListEnvironments HTTP/1.1",
    "host: localhost",
    "connection: close",
    "content-type: application/json",
    "content-length: 2",
    ...authorization.map((value) => `authorization: ${value}`),
    "",
    "{}",
  ].join("\r\n"));
  let text = "";
  for await (const chunk of socket) text += chunk;
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

Deno.test({
  name: "a revoked static token is refused at once, and its last use was noted",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async (world) => {
      const { platform } = world;
      const secret = await ci(world);
      const headers = { authorization: `Bearer ${secret}` };
      const transport = DOORS["gRPC-Web"]!(platform);
      const tokens = createClient(TokenService, transport);
      const { listEnvironments } = createClient(EnvironmentService, transport);
      await listEnvironments({}, { headers });
      await tokens.revokeToken({ name: "tokens/ci" }, { headers });
      assert.deepEqual(await refusedBy(transport, `Bearer ${secret}`), INVALID);
    }),
});

Deno.test({
  name: "everybody may ask how to sign in, also with credentials that are not valid",
  ...NO_SANITIZERS,
  fn: () =>
    withServer(async ({ oidc, platform }) => {
      for (const open of Object.values(DOORS)) {
        const transport = open(platform);
        const { getSignIn } = createClient(TokenService, transport);
        for (const headers of [{}, { authorization: "Bearer nonsense" }]) {
          const { issuers, tokensAccepted, credentialsRequired } = await getSignIn({}, { headers });
          assert.deepEqual(
            issuers.map((
              { name, issuer, clientId, audience },
            ) => [name, issuer, clientId, audience]),
            [["company", oidc.issuer, "mpctl", AUDIENCE]],
          );
          assert.ok(tokensAccepted && credentialsRequired);
        }
        transport.close?.();
      }
    }),
});
