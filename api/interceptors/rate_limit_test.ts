import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { identify, intercept, SOURCE } from "@mpc/process";
import { EnvironmentService, GetEnvironmentRequestSchema } from "@mpc/proto";
import { isMpcError } from "@mpc/domain";
import { FakeClock } from "@mpc/tests/fakes/fake_clock.ts";
import { rateLimit } from "./rate_limit.ts";

function limited(limit: { perSecond: number; burst: number }) {
  const clock = new FakeClock();
  let principal = "ann";
  const { getEnvironment } = intercept(EnvironmentService, {
    getEnvironment: () => ({}),
  }, [
    identify(() => ({ principal, groups: [], kind: "user" })),
    rateLimit(limit, clock),
  ]);
  /** @returns how long to wait; 0 if the call was accepted */
  const call = async (by = "ann"): Promise<number> => {
    principal = by;
    try {
      await getEnvironment?.(create(GetEnvironmentRequestSchema), aContext());
      return 0;
    } catch (error) {
      assert.ok(isMpcError(error, "RESOURCE_EXHAUSTED"), String(error));
      assert.equal(error.reason, "RATE_LIMITED");
      return Number(error.metadata["retryAfterMs"]);
    }
  };
  return { clock, call };
}

const aContext = () =>
  createHandlerContext({
    service: EnvironmentService,
    method: EnvironmentService.method.getEnvironment,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://local",
  });

Deno.test("rateLimit() allows a burst, then says how long to wait", async () => {
  const { call } = limited({ perSecond: 10, burst: 3 });
  const waits = [await call(), await call(), await call(), await call()];
  assert.deepEqual(waits, [0, 0, 0, 100]);
});

Deno.test("rateLimit() accepts a call after the wait that it asked for", async () => {
  const { clock, call } = limited({ perSecond: 10, burst: 1 });
  await call();
  const waitMs = await call();
  assert.ok(waitMs > 0, "the second call comes too early");
  await clock.advance(waitMs);
  assert.equal(await call(), 0);
});

Deno.test("rateLimit() counts each principal separately", async () => {
  const { call } = limited({ perSecond: 1, burst: 1 });
  await call("ann");
  assert.equal(await call("bob"), 0, "bob has called once");
  assert.ok(await call("ann") > 0, "ann has called twice");
});

Deno.test("rateLimit() allows its rate over time, and no more", async () => {
  const { clock, call } = limited({ perSecond: 50, burst: 5 });
  let taken = 0;
  for (let ms = 0; ms < 10_000; ms += 5) {
    if (await call() === 0) taken++;
    await clock.advance(5);
  }
  assert.ok(taken >= 500 && taken <= 505, `${taken} calls were taken in ten seconds`);
});

for (const [what, ms] of [["back by 30 s", -30_000], ["forward by 20 min", 1_200_000]] as const) {
  Deno.test(`rateLimit() keeps its rate when the wall clock is set ${what}`, async () => {
    const { clock, call } = limited({ perSecond: 10, burst: 1 });
    assert.equal(await call(), 0);
    clock.step(ms);
    assert.equal(await call(), 100, "neither refused for longer, nor allowed early");
    await clock.advance(100);
    assert.equal(await call(), 0);
  });
}

/** A door for calls of principals, from addresses. */
function guarded(callsPerSecond: number | null) {
  const clock = new FakeClock();
  const from = { principal: "user:ann", source: "10.0.0.1" };
  const limit = { perSecond: 1, burst: 2 };
  const limits = { environments: null, operations: null, callsPerSecond };
  const { getEnvironment } = intercept(EnvironmentService, { getEnvironment: () => ({}) }, [
    identify(() => {
      const { principal } = from;
      return principal === "anonymous"
        ? { principal, groups: [], kind: "user" }
        : { principal, groups: [], kind: "user", authentication: "OIDC" };
    }),
    rateLimit(limit, clock, () => limits),
  ]);
  return async (principal: string, source: string): Promise<string> => {
    Object.assign(from, { principal, source });
    const context = aContext();
    context.values.set(SOURCE, source);
    try {
      await getEnvironment?.(create(GetEnvironmentRequestSchema), context);
      return "OK";
    } catch (error) {
      assert.ok(isMpcError(error), String(error));
      return error.reason;
    }
  };
}

Deno.test("rateLimit() counts a principal at all its addresses, and anonymous callers at each", async () => {
  const call = guarded(null);
  const answers = [];
  for (const source of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
    answers.push([await call("user:ann", source), await call("anonymous", source)]);
  }
  assert.deepEqual(answers, [["OK", "OK"], ["OK", "OK"], ["RATE_LIMITED", "OK"]]);
});

Deno.test("rateLimit() takes a principal's own rate before the common one", async () => {
  const call = guarded(3);
  const answers = await Promise.all(Array.from({ length: 7 }, () => call("user:ann", "10.0.0.1")));
  assert.deepEqual(answers, [...Array.from({ length: 6 }, () => "OK"), "RATE_LIMITED"]);
});
