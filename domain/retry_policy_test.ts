import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "./retry_policy.ts";

const policy = { maxAttempts: 9, initialBackoffMs: 500, maxBackoffMs: 15_000, budgetMs: 60_000 };

const CEILINGS: readonly (readonly [number, number])[] = [[1, 500], [2, 1_000], [3, 2_000], [
  6,
  15_000,
], [
  60,
  15_000,
]];

for (const [attempt, ceiling] of CEILINGS) {
  Deno.test(`the pause after attempt ${attempt} is at most ${ceiling} ms`, () => {
    assert.equal(backoffMs(policy, attempt, 0.999999999), ceiling);
    assert.equal(backoffMs(policy, attempt, 0), 0);
  });
}

Deno.test("the jitter is full: any pause between zero and the ceiling, never above the cap", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), random, (attempt, random) => {
    const pause = backoffMs(policy, attempt, random);
    assert.ok(pause >= 0 && pause <= policy.maxBackoffMs);
    assert.ok(pause <= backoffMs(policy, attempt + 1, random) + 1, "the ceiling never decreases");
  }));
});
