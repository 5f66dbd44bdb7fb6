/** How time, and issuers that misbehave, affect authentication. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Token } from "@mpc/domain";
import type { TokenReviewer } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { aToken } from "@mpc/tests/fakes/documents.ts";
import { FakeClock, settle } from "@mpc/tests/fakes/fake_clock.ts";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import { AUDIENCE, type OidcIssuer, startOidcIssuer } from "@mpc/tests/servers/oidc_issuer.ts";
import { withFolder } from "@mpc/tests/servers/with_folder.ts";
import { hashSecret, newSecret } from "../../services/tokens/secret.ts";
import { openAuthentication } from "./authenticate.ts";
import { COOLDOWN_MS, REFRESH_MS } from "./issuer_keys.ts";
import { AUTHENTICATION, type AuthenticationSettings } from "./settings.ts";

const HOUR_MS = 3_600_000;

const oidcSettings = (issuer: string, more: object = {}): AuthenticationSettings =>
  AUTHENTICATION.parse({ oidc: [{ name: "company", issuer, audience: AUDIENCE, ...more }] });

/** No cluster is asked. */
const NO_REVIEWS: TokenReviewer = {
  reviewToken: () => Promise.reject(new Error("no test expects this")),
};

/** Authentication with a clock of the test. */
function opened(settings: () => AuthenticationSettings, {
  clock = new FakeClock(),
  store = openMemoryStore(),
  reviewer = NO_REVIEWS,
}: {
  readonly clock?: FakeClock;
  readonly store?: Pick<Store, "tokens">;
  readonly reviewer?: TokenReviewer;
} = {}) {
  const authentication = openAuthentication({ store, clock, reviewer, settings });
  return {
    clock,
    store,
    authentication,
    by: async (token: string) => await authentication.authenticate({ context: contextOf(token) }),
    [Symbol.asyncDispose]: () => authentication.close(),
  };
}

function contextOf(token: string): HandlerContext {
  const requestHeader = new Headers({ authorization: `Bearer ${token}` });
  const { signal } = new AbortController();
  return { requestHeader, signal, values: createContextValues() } as unknown as HandlerContext;
}

/** Registers a test with an issuer and an authentication on the same clock. */
function testWithIssuer(
  name: string,
  run: (world: ReturnType<typeof opened> & { readonly oidc: OidcIssuer }) => Promise<void>,
  more: object = {},
): void {
  Deno.test({
    name,
    ...NO_SANITIZERS,
    async fn() {
      const clock = new FakeClock();
      await using oidc = await startOidcIssuer({ now: () => clock.now() });
      const settings = oidcSettings(oidc.issuer, more);
      await using world = opened(() => settings, { clock });
      await run({ ...world, oidc });
    },
  });
}

const unavailable = (promise: Promise<unknown>) =>
  rejectsWith(promise, "UNAVAILABLE", "ISSUER_UNAVAILABLE");
const invalid = (promise: Promise<unknown>) =>
  rejectsWith(promise, "UNAUTHENTICATED", "CREDENTIALS_INVALID");
const expired = (promise: Promise<unknown>) =>
  rejectsWith(promise, "UNAUTHENTICATED", "CREDENTIALS_EXPIRED");

testWithIssuer("a token of the issuer says who calls, and when it expires", async (world) => {
  const { oidc, by, clock } = world;
  const exp = Math.floor(clock.now() / 1_000) + 300;
  assert.deepEqual(await by(await oidc.token({ exp, groups: ["developers", "system:masters"] })), {
    principal: "user:company:ann@example.com",
    groups: ["g:developers", "g:system:masters"],
    kind: "user",
    authentication: "OIDC",
    expireTime: (exp + 30) * 1_000,
  });
}, { usernameClaim: "email", usernamePrefix: "company:", groupsPrefix: "g:" });

testWithIssuer("groups that only the platform gives are left out", async ({ oidc, by }) => {
  const { groups } = await by(await oidc.token({ groups: ["developers", "system:masters"] }));
  assert.deepEqual(groups, ["developers"]);
});

testWithIssuer("an access token by client credentials is accepted", async ({ oidc, by, clock }) => {
  // The issuer itself makes it, by the real clock.
  clock.step(Date.now() - clock.now());
  assert.equal((await by(await oidc.clientToken())).principal, "user:robot");
});

testWithIssuer("a verified token is refused when it has expired", async ({ oidc, by, clock }) => {
  const token = await oidc.token({ exp: Math.floor(clock.now() / 1_000) + 10 });
  await by(token);
  await clock.advance(39_000);
  await by(token);
  await clock.advance(2_000);
  await expired(by(token));
});

testWithIssuer(
  "keys stay in use while the issuer is away, as long as settings say",
  async (world) => {
    const { oidc, by, clock } = world;
    await by(await oidc.token());
    oidc.conduct = "away";
    await clock.advance(2 * HOUR_MS);
    await by(await oidc.token());
    await clock.advance(HOUR_MS + REFRESH_MS);
    await unavailable(by(await oidc.token()));
    oidc.conduct = "well";
    await clock.advance(COOLDOWN_MS);
    await by(await oidc.token());
  },
  { keepKeysHours: 3 },
);

testWithIssuer("an issuer that is away is asked once in a while only", async (world) => {
  const { oidc, by, clock } = world;
  oidc.conduct = "away";
  for (let calls = 0; calls < 20; calls++) await unavailable(by(await oidc.token()));
  oidc.conduct = "well";
  await unavailable(by(await oidc.token()));
  await clock.advance(COOLDOWN_MS);
  await by(await oidc.token());
});

testWithIssuer(
  "a new key of the issuer is found, and the old one no longer counts",
  async (world) => {
    const { oidc, by, clock } = world;
    const old = await oidc.token({ exp: Math.floor(clock.now() / 1_000) + 3_600 });
    await by(old);
    await oidc.rotateKeys();
    const young = await oidc.token({ exp: Math.floor(clock.now() / 1_000) + 3_600 });
    await invalid(by(young));
    await clock.advance(COOLDOWN_MS);
    await by(young);
    await clock.advance(60_000);
    await invalid(by(old));
  },
);

testWithIssuer("many tokens of unknown keys make the server ask once", async (world) => {
  const { oidc, by, clock } = world;
  await by(await oidc.token());
  await clock.advance(COOLDOWN_MS);
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, i) => oidc.token({ jti: `${i}` }, { kid: `other-${i}` })),
  );
  await Promise.all(tokens.map((token) => invalid(by(token))));
  for (const token of tokens) await invalid(by(token));
  assert.equal(oidc.keyRequests, 2);
});

testWithIssuer("an issuer that does not answer is given up after 5 seconds", async (world) => {
  const { oidc, by, clock } = world;
  oidc.conduct = "slow";
  const refused = unavailable(by(await oidc.token()));
  while (clock.sleepers === 0) await settle();
  await clock.advance(5_000);
  await refused;
});

testWithIssuer("a known key is used at once while a slow issuer is asked again", async (world) => {
  const { oidc, by, clock } = world;
  await by(await oidc.token());
  oidc.conduct = "slow";
  await clock.advance(REFRESH_MS);
  await by(await oidc.token());
});

for (const conduct of ["huge", "redirecting"] as const) {
  testWithIssuer(`keys of a ${conduct} issuer are not read`, async ({ oidc, by }) => {
    oidc.conduct = conduct;
    await unavailable(by(await oidc.token()));
  });
}

Deno.test({
  name: "a document of another issuer is not read",
  ...NO_SANITIZERS,
  async fn() {
    await using oidc = await startOidcIssuer();
    const alias = oidc.issuer.replace("127.0.0.1", "localhost");
    await using world = opened(() => oidcSettings(alias));
    await unavailable(world.by(await oidc.token({ iss: alias })));
  },
});

Deno.test({
  name: "new settings apply at once, and an issuer that stays keeps its keys",
  ...NO_SANITIZERS,
  async fn() {
    const clock = new FakeClock();
    await using oidc = await startOidcIssuer({ now: () => clock.now() });
    let settings = oidcSettings(oidc.issuer);
    await using world = opened(() => settings, { clock });
    const token = await oidc.token();
    await world.by(token);
    settings = oidcSettings(oidc.issuer);
    await world.by(token);
    assert.equal(oidc.keyRequests, 1, "the keys are known");
    settings = oidcSettings(oidc.issuer, { audience: "other" });
    await invalid(world.by(token));
    settings = AUTHENTICATION.parse({});
    await invalid(world.by(token));
  },
});

Deno.test({
  name: "a token of a service account names it and its groups, by keys from a file",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder(async (folder) => {
      await using oidc = await startOidcIssuer();
      const keysFile = join(folder, "keys.json");
      await writeFile(keysFile, await (await fetch(`${oidc.issuer}/jwks`)).text());
      const issuer = "https://kubernetes.default.svc.cluster.local";
      const settings = AUTHENTICATION.parse({
        serviceAccounts: [{ issuer, audience: "mpc", keysFile }],
      });
      await using world = opened(() => settings, { clock: new FakeClock(Date.now()) });
      const tokenOf = (sub: string) => oidc.token({ iss: issuer, aud: "mpc", sub });
      const found = await world.by(await tokenOf("system:serviceaccount:shop:deployer"));
      assert.deepEqual(
        [found.principal, found.groups, found.kind, found.authentication],
        [
          "serviceaccount:shop:deployer",
          ["system:serviceaccounts", "system:serviceaccounts:shop"],
          "service",
          "SERVICE_ACCOUNT",
        ],
      );
      for (
        const sub of ["ann", "system:serviceaccount:shop", "system:node:a", "x:y:shop:deployer"]
      ) {
        await invalid(world.by(await tokenOf(sub)));
      }
    }),
});

const TOKENS = AUTHENTICATION.parse({ tokens: true });

/** A store with one static token. */
async function withToken(overrides: Partial<Token> = {}) {
  const secret = newSecret("ci");
  const world = opened(() => TOKENS);
  const { tokens } = world.store;
  await tokens.create(aToken("ci", {
    secretHash: hashSecret(secret),
    expireTime: world.clock.now() + HOUR_MS,
    ...overrides,
  }));
  return { ...world, tokens, secret };
}

Deno.test("a static token is its own principal, and expires", async () => {
  const { by, secret, clock } = await withToken({ groups: ["deployers"] });
  const { principal, groups, kind } = await by(secret);
  assert.deepEqual([principal, groups, kind], ["token:ci", ["deployers"], "service"]);
  await clock.advance(HOUR_MS);
  await expired(by(secret));
});

Deno.test("static tokens are refused unless settings accept them", async () => {
  const { store, secret } = await withToken();
  const none = opened(() => AUTHENTICATION.parse({}), { store });
  await invalid(none.by(secret));
});

Deno.test("the last use of a static token is written at most once a minute", async () => {
  const { by, secret, clock, tokens } = await withToken();
  const start = clock.now();
  for (let second = 0; second <= 150; second++) {
    await by(secret);
    await clock.advance(1_000);
  }
  await settle();
  const stored = await tokens.get("tokens/ci");
  assert.equal(stored?.version, 4, "created, then used in three minutes");
  assert.equal(stored.value.lastUseTime, start + 120_000);
});

Deno.test("a call does not wait for the last use to be written, nor fail with it", async () => {
  const { tokens, secret } = await withToken();
  const { promise: never } = Promise.withResolvers<never>();
  for (const replace of [() => never, () => Promise.reject(new Error("the disk is full"))]) {
    const world = opened(() => TOKENS, {
      store: { tokens: { ...bound(tokens), replace } },
    });
    assert.equal((await world.by(secret)).principal, "token:ci");
    await settle();
  }
});

Deno.test("another process refuses a revoked token within seconds", async () => {
  const { by, tokens, secret, clock, store } = await withToken();
  const other = opened(() => TOKENS, { clock, store });
  await by(secret);
  await other.by(secret);
  await settle();
  await tokens.delete("tokens/ci", (await tokens.get("tokens/ci"))!.version);
  await clock.advance(5_000);
  await invalid(by(secret));
  await invalid(other.by(secret));
});

Deno.test("a token that is revoked while it is read is not remembered", async () => {
  const { tokens, secret } = await withToken();
  const reading = Promise.withResolvers<void>();
  const revoked = Promise.withResolvers<void>();
  const world = opened(() => TOKENS, {
    store: {
      tokens: {
        ...bound(tokens),
        async get(name, options) {
          const stored = await tokens.get(name, options);
          reading.resolve();
          await revoked.promise;
          return stored;
        },
      },
    },
  });
  const first = world.by(secret);
  await reading.promise;
  await tokens.delete("tokens/ci", 1);
  world.authentication.tokens.forget("tokens/ci");
  revoked.resolve();
  await first;
  await invalid(world.by(secret));
});

/** The methods of a collection, to replace some of them. */
function bound(tokens: Store["tokens"]): Store["tokens"] {
  return {
    create: (...all) => tokens.create(...all),
    get: (...all) => tokens.get(...all),
    list: (...all) => tokens.list(...all),
    count: (...all) => tokens.count(...all),
    replace: (...all) => tokens.replace(...all),
    delete: (...all) => tokens.delete(...all),
  };
}
