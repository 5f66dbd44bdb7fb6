import assert from "node:assert/strict";
import { FakeClock } from "../../../../tests/fakes/fake_clock.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";

const OPEN = {
  code: "UNAVAILABLE",
  reason: "CLUSTER_UNREACHABLE",
  message:
    /'east': it failed \d times in a row, the next trial is at \S+; the last time: no route$/,
};

function failTimes(breaker: CircuitBreaker, times: number): void {
  for (let time = 0; time < times; time++) {
    breaker.enter();
    breaker.failed(new Error("no route"));
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
