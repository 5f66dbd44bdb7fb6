/** Tokens that a cluster reviews, as far as time and failures matter; a real cluster is in tests/kubernetes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MpcError } from "@mpc/domain";
import type { ReviewedToken, TokenReview } from "@mpc/services";
import { FakeClock, settle } from "@mpc/tests/fakes/fake_clock.ts";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { MAX_TOKEN_LENGTH } from "./jwt_parts.ts";
import { PAUSE_MS, REFUSED_MS, ReviewedTokens } from "./reviewed_tokens.ts";
import { serviceAccountOf } from "./token_identity.ts";

const SUB = "system:serviceaccount:ci:deployer";

const ACCEPTED: ReviewedToken = { username: SUB, audiences: ["mpc"] };

/** Tokens of one cluster, whose answers are those of the test. */
function opened(answer: (review: TokenReview) => ReviewedToken | Promise<ReviewedToken>) {
  const clock = new FakeClock();
  const reviews: TokenReview[] = [];
  const prefixes = { usernamePrefix: "", groupsPrefix: "" };
  const tokens = new ReviewedTokens({
    ...{ issuer: "https://kubernetes.default.svc", audience: "mpc", cluster: "dev" },
    ...{ algorithms: [], skewSeconds: 30, keepKeysHours: 0, authentication: "SERVICE_ACCOUNT" },
    subjectOf: ({ sub }) =>
      serviceAccountOf({ ...(sub !== undefined && { sub }) }, {
        ...prefixes,
        ...{ issuer: "", audience: "", algorithms: [], skewSeconds: 0, keepKeysHours: 0 },
      }),
  }, {
    clock,
    reviewer: {
      reviewToken(review, { signal }) {
        reviews.push(review);
        signal.throwIfAborted();
        const aborted = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => aborted.reject(signal.reason));
        return Promise.race([Promise.resolve().then(() => answer(review)), aborted.promise]);
      },
    },
  });
  const token = (claims: object = {}) => {
    const exp = Math.floor(clock.now() / 1_000) + 600;
    const payload = { iss: "https://kubernetes.default.svc", sub: SUB, aud: ["mpc"], exp };
    const parts = [{ alg: "RS256" }, { ...payload, ...claims }, "signature"];
    return parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  };
  return { clock, reviews, tokens, token };
}

const invalid = (promise: Promise<unknown>) =>
  rejectsWith(promise, "UNAUTHENTICATED", "CREDENTIALS_INVALID");
const unavailable = (promise: Promise<unknown>) =>
  rejectsWith(promise, "UNAVAILABLE", "ISSUER_UNAVAILABLE");

Deno.test("an accepted token is the service account that the cluster names", async () => {
  const { tokens, token, reviews } = opened(() => ACCEPTED);
  const bearer = token({ exp: 2_000_000_000 });
  assert.deepEqual(await tokens.verify(bearer), {
    principal: "serviceaccount:ci:deployer",
    groups: ["system:serviceaccounts", "system:serviceaccounts:ci"],
    kind: "service",
    authentication: "SERVICE_ACCOUNT",
    expireTime: 2_000_000_030_000,
  });
  assert.deepEqual(reviews, [{ cluster: "dev", token: bearer, audience: "mpc" }]);
});

Deno.test("what a cluster would refuse anyway is refused without asking it", async (t) => {
  const { tokens, token, reviews, clock } = opened(() => ACCEPTED);
  const past = Math.floor(clock.now() / 1_000) - 31;
  const cases: readonly (readonly [string, object, string])[] = [
    ["another audience", { aud: ["https://kubernetes.default.svc"] }, "CREDENTIALS_INVALID"],
    ["no audience", { aud: undefined }, "CREDENTIALS_INVALID"],
    ["a user", { sub: "system:admin" }, "CREDENTIALS_INVALID"],
    ["no subject", { sub: 7 }, "CREDENTIALS_INVALID"],
    ["an old token that never expires", { exp: undefined }, "CREDENTIALS_INVALID"],
    ["an expired token", { exp: past }, "CREDENTIALS_EXPIRED"],
    ["a long token", { a: "b".repeat(MAX_TOKEN_LENGTH) }, "CREDENTIALS_INVALID"],
  ];
  for (const [title, claims, reason] of cases) {
    await t.step(title, async () => {
      await rejectsWith(tokens.verify(token(claims)), "UNAUTHENTICATED", reason);
    });
  }
  assert.deepEqual(reviews, []);
});

Deno.test("an answer that does not fit the token is a refusal", async (t) => {
  const cases: readonly (readonly [string, ReviewedToken])[] = [
    ["not authenticated", { username: null, audiences: [] }],
    ["another account", { username: "system:serviceaccount:ci:other", audiences: ["mpc"] }],
    ["a cluster that does not know audiences", { username: SUB, audiences: [] }],
    ["another audience", { username: SUB, audiences: ["api"] }],
  ];
  for (const [title, answer] of cases) {
    await t.step(title, async () => {
      const { tokens, token } = opened(() => answer);
      await invalid(tokens.verify(token()));
    });
  }
});

Deno.test("a refused token is not reviewed again for a while", async () => {
  const { tokens, token, reviews, clock } = opened(() => ({ username: null, audiences: [] }));
  const bearer = token();
  for (let call = 0; call < 10; call++) await invalid(tokens.verify(bearer));
  assert.equal(reviews.length, 1);
  await clock.advance(REFUSED_MS);
  await invalid(tokens.verify(bearer));
  assert.equal(reviews.length, 2);
});

Deno.test("calls with one token share its review, and too many tokens at once are put off", async () => {
  const answer = Promise.withResolvers<ReviewedToken>();
  const { tokens, token, reviews } = opened(() => answer.promise);
  const same = Array.from({ length: 5 }, () => tokens.verify(token({ jti: "0" })));
  const others = Array.from(
    { length: 19 },
    (_, index) => tokens.verify(token({ jti: String(index + 1) })),
  );
  await unavailable(tokens.verify(token({ jti: "one too many" })));
  assert.equal(reviews.length, 20);
  answer.resolve(ACCEPTED);
  await Promise.all([...same, ...others]);
  await tokens.verify(token({ jti: "one too many" }));
});

Deno.test("after a failed review the cluster is left alone for a moment", async () => {
  let problem: MpcError | undefined = new MpcError("UNAVAILABLE", {
    reason: "NO_WORKER",
    message: "Cannot read the cluster: no worker answers",
  });
  const { tokens, token, reviews, clock } = opened(() => {
    if (problem) throw problem;
    return ACCEPTED;
  });
  await unavailable(tokens.verify(token()));
  await unavailable(tokens.verify(token()));
  assert.equal(reviews.length, 1);
  problem = undefined;
  await clock.advance(PAUSE_MS);
  await tokens.verify(token());
});

Deno.test("a cluster that does not answer fails the call in time", async () => {
  const { tokens, token, clock } = opened(() => new Promise<never>(() => {}));
  const call = unavailable(tokens.verify(token()));
  await settle();
  await clock.advance(5_000);
  await call;
});

Deno.test("closing ends reviews", async () => {
  const { tokens, token } = opened(() => new Promise<never>(() => {}));
  const call = unavailable(tokens.verify(token()));
  await settle();
  await tokens.close();
  await call;
});
