import assert from "node:assert/strict";
import { isMpcError } from "@mpc/domain";
import { FakeClock } from "../../../../tests/fakes/fake_clock.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";

const OPEN = {
  code: "UNAVAILABLE",
  reason: "CLUSTER_UNREACHABLE",
  message:
    /'east': it has not answered since \S+, \d times in a row \(no route\); the next trial is at \S+$/,
};

function failTimes(breaker: CircuitBreaker, times: number): void {
  for (let time = 0; time < times; time++) {
    breaker.enter();
    breaker.failed("no route");
  }
}

Deno.test("a breaker opens after consecutive failures, and later allows one trial", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 3, openMs: 1_000 }, clock);
  failTimes(breaker, 2);
  breaker.enter();
  breaker.succeeded();
  failTimes(breaker, 3);
  assert.throws(() => breaker.enter(), OPEN);
  await clock.advance(1_000);
  breaker.enter();
  assert.throws(() => breaker.enter(), OPEN, "one trial at a time");
  breaker.succeeded();
  breaker.enter();
});

Deno.test("each failed trial doubles the time that a breaker stays open", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 1, openMs: 1_000 }, clock);
  failTimes(breaker, 1);
  await clock.advance(1_000);
  failTimes(breaker, 1);
  await clock.advance(1_999);
  assert.throws(() => breaker.enter(), OPEN);
  await clock.advance(1);
  breaker.enter();
});

Deno.test("a breaker tries at least every ten seconds", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 1, openMs: 1_000 }, clock);
  for (let trial = 0; trial < 10; trial++) {
    failTimes(breaker, 1);
    await clock.advance(10_000);
  }
  breaker.enter();
});

Deno.test("a blocked call knows since when its server is away, and when to try again", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 2, openMs: 4_000 }, clock);
  const start = clock.now();
  failTimes(breaker, 1);
  await clock.advance(3_000);
  failTimes(breaker, 1);
  await clock.advance(1_000);
  const blocked = () => {
    try {
      breaker.enter();
    } catch (error) {
      if (isMpcError(error)) return error.metadata;
    }
    assert.fail("the call is blocked");
  };
  const since = new Date(start).toISOString();
  const at = (ms: number) => new Date(start + ms).toISOString();
  const facts = { cluster: "east", since, sent: "no" };
  assert.deepEqual(blocked(), { ...facts, nextTrial: at(7_000) });
  await clock.advance(3_000);
  breaker.enter();
  assert.deepEqual(blocked(), { ...facts, nextTrial: at(8_000) }, "soon after the running trial");
});

Deno.test("a breaker knows whether its server has just come back", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 5, openMs: 1_000 }, clock);
  breaker.succeeded();
  assert.equal(breaker.hasRecoveredWithin(10_000), false, "it never was away");
  failTimes(breaker, 1);
  breaker.succeeded();
  breaker.succeeded();
  await clock.advance(9_999);
  assert.equal(breaker.hasRecoveredWithin(10_000), true);
  await clock.advance(1);
  assert.equal(breaker.hasRecoveredWithin(10_000), false);
});

Deno.test("an aborted trial does not change a breaker", async () => {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker("east", { failures: 1, openMs: 1_000 }, clock);
  failTimes(breaker, 1);
  await clock.advance(1_000);
  breaker.enter();
  breaker.undecided();
  breaker.enter();
});

for (const stepMs of [-30_000, 1_200_000]) {
  Deno.test(`a breaker stays open for its time where the wall clock is set by ${stepMs} ms`, async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker("east", { failures: 1, openMs: 1_000 }, clock);
    failTimes(breaker, 1);
    clock.step(stepMs);
    await clock.advance(999);
    assert.throws(() => breaker.enter(), OPEN);
    await clock.advance(1);
    breaker.enter();
  });
}
