/** Who may create, list and revoke static tokens, and their limits. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import {
  allowEverything,
  type Authorizer,
  createToken,
  listTokens,
  revokeToken,
  StaticTokens,
} from "@mpc/services";
import { aCaller } from "../fakes/a_caller.ts";
import { aToken } from "../fakes/documents.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const DAY_MS = 24 * 3_600_000;

const ANN = aCaller({ principal: "user:ann" });
const EVE = aCaller({ principal: "user:eve" });

const aRequest = (tokenId: string, overrides: object = {}) => ({
  tokenId,
  token: { displayName: "", groups: [], ttlMs: null, expireTime: null, ...overrides },
});

const ALL = { pageSize: 0, pageToken: "", filter: "", orderBy: "" };

/** Allows everything to ann, and nothing to anybody else. */
const onlyAnn: Authorizer = {
  ...allowEverything,
  authorize({ principal }, { permission }) {
    if (principal === ANN.principal) return Promise.resolve();
    return Promise.reject(
      new MpcError("PERMISSION_DENIED", {
        reason: "PERMISSION_MISSING",
        message: `${principal} needs ${permission}`,
      }),
    );
  },
};

Deno.test("createToken() returns a secret that is not kept, and expires after 90 days", () =>
  withPlatform(async ({ deps }) => {
    const { token, secret } = await createToken(deps, ANN, aRequest("ci", { groups: ["a", "a"] }));
    assert.match(secret, /^mpc_ci_[0-9a-f]{64}$/);
    const { value } = token;
    assert.deepEqual(
      [value.name, value.creator, value.groups, value.lastUseTime],
      ["tokens/ci", "user:ann", ["a"], null],
    );
    assert.equal(value.expireTime - value.createTime, 90 * DAY_MS);
    const kept = JSON.stringify(await deps.store.tokens.get("tokens/ci"));
    assert.ok(!kept.includes(secret.slice("mpc_ci_".length)));
    const other = await createToken(deps, ANN, aRequest("cd"));
    assert.notEqual(other.secret.slice(-64), secret.slice(-64));
  }));

Deno.test("createToken() names every field that is not valid", async (t) => {
  const cases: readonly (readonly [string, string, object, string])[] = [
    ["an id with an underscore", "a_b", {}, "token_id"],
    ["a life of more than a year", "ci", { ttlMs: 366 * DAY_MS }, "token.ttl"],
    ["a life of less than a minute", "ci", { ttlMs: 59_999 }, "token.ttl"],
    ["an expiry that has passed", "ci", { expireTime: 1 }, "token.expire_time"],
    ["an expiry and a life", "ci", { ttlMs: DAY_MS, expireTime: 1 }, "token.expire_time"],
    ["a reserved group", "ci", { groups: ["system:masters"] }, "token.groups[0]"],
    ["a group with a line break", "ci", { groups: ["a", "b\nc"] }, "token.groups[1]"],
    [
      "too many groups",
      "ci",
      { groups: Array.from({ length: 33 }, (_, i) => `g${i}`) },
      "token.groups",
    ],
    ["a long display name", "ci", { displayName: "x".repeat(201) }, "token.display_name"],
  ];
  for (const [title, id, overrides, field] of cases) {
    await t.step(title, () =>
      withPlatform(async ({ deps }) => {
        const error = await rejectsWith(
          createToken(deps, ANN, aRequest(id, overrides)),
          "INVALID_ARGUMENT",
          "INVALID_FIELDS",
        );
        assert.deepEqual(error.violations.map(({ field }) => field), [field]);
        assert.equal(await deps.store.tokens.count({}), 0);
      }));
  }
});

Deno.test("createToken() refuses a name that is taken, and replaces an expired token", () =>
  withPlatform(async ({ deps, clock }) => {
    const first = await createToken(deps, ANN, aRequest("ci", { ttlMs: DAY_MS }));
    await rejectsWith(createToken(deps, ANN, aRequest("ci")), "ALREADY_EXISTS", "TOKEN_EXISTS");
    clock.step(DAY_MS);
    const second = await createToken(deps, ANN, aRequest("ci"));
    assert.notEqual(second.token.value.uid, first.token.value.uid);
    clock.step(98 * DAY_MS);
    await createToken(deps, ANN, aRequest("cd"));
    assert.equal(await deps.store.tokens.get("tokens/ci"), undefined, "it expired a week ago");
  }));

Deno.test("createToken() refuses more than 1000 valid tokens; expired ones do not count", () =>
  withPlatform(async ({ deps, clock }) => {
    const expireTime = clock.now() + DAY_MS;
    for (let i = 0; i < 1_000; i++) {
      await deps.store.tokens.create(aToken(`t${i}`, { expireTime }));
    }
    await rejectsWith(
      createToken(deps, ANN, aRequest("ci")),
      "RESOURCE_EXHAUSTED",
      "TOO_MANY_TOKENS",
    );
    clock.step(DAY_MS);
    await createToken(deps, ANN, aRequest("ci"));
  }));

Deno.test("tokens are created and listed with permission only", () =>
  withPlatform(async (platform) => {
    const deps = { ...platform.deps, authorizer: onlyAnn };
    const denied = (promise: Promise<unknown>) =>
      rejectsWith(promise, "PERMISSION_DENIED", "PERMISSION_MISSING");
    await denied(createToken(deps, EVE, aRequest("_")));
    await createToken(deps, ANN, aRequest("ci"));
    await denied(listTokens(deps, EVE, ALL));
    const { items } = await listTokens(deps, ANN, { ...ALL, filter: 'creator = "user:ann"' });
    assert.deepEqual(items.map(({ value }) => value.name), ["tokens/ci"]);
  }));

Deno.test("a token is revoked by those with permission, by its creator, and by itself", () =>
  withPlatform(async (platform) => {
    const deps = { ...platform.deps, authorizer: onlyAnn };
    const tokens = new StaticTokens(deps);
    const create = (id: string, creator: string) =>
      deps.store.tokens.create(aToken(id, { creator }));
    const revoke = (caller: string, id: string) =>
      revokeToken(deps, tokens, aCaller({ principal: caller }), {
        name: `tokens/${id}`,
        allowMissing: false,
      });
    const denied = (promise: Promise<unknown>) =>
      rejectsWith(promise, "PERMISSION_DENIED", "PERMISSION_MISSING");
    await create("of-bob", "user:bob");
    await denied(revoke("user:eve", "of-bob"));
    // The refusal does not tell whether the token exists.
    await denied(revoke("user:eve", "missing"));
    await denied(revoke("token:other", "of-bob"));
    await revoke("user:bob", "of-bob");
    await create("of-bob", "user:bob");
    await revoke("token:of-bob", "of-bob");
    await create("of-bob", "user:bob");
    await revoke("user:ann", "of-bob");
    assert.equal(await deps.store.tokens.count({}), 0);
    await rejectsWith(revoke("user:ann", "of-bob"), "NOT_FOUND", "TOKEN_NOT_FOUND");
    await revokeToken(deps, tokens, ANN, { name: "tokens/of-bob", allowMissing: true });
    await rejectsWith(revoke("user:ann", "a/b"), "INVALID_ARGUMENT", "INVALID_FIELDS");
  }));

Deno.test("a token is revoked although its last use is written at the same moment", () =>
  withPlatform(async ({ deps }) => {
    await deps.store.tokens.create(aToken("ci"));
    const { tokens } = deps.store;
    let used = false;
    const store = {
      ...deps.store,
      tokens: {
        create: tokens.create.bind(tokens),
        list: tokens.list.bind(tokens),
        count: tokens.count.bind(tokens),
        replace: tokens.replace.bind(tokens),
        delete: tokens.delete.bind(tokens),
        async get(...all: Parameters<typeof tokens.get>) {
          const stored = await tokens.get(...all);
          if (stored && !used) {
            used = true;
            await tokens.replace({ ...stored.value, lastUseTime: 1 }, stored.version);
          }
          return stored;
        },
      },
    };
    const process = new StaticTokens(deps);
    await revokeToken({ ...deps, store }, process, ANN, { name: "tokens/ci", allowMissing: false });
    assert.equal(await tokens.get("tokens/ci"), undefined);
  }));
