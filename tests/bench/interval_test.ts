import assert from "node:assert/strict";
import { ratioInterval, shuffled } from "./interval.ts";

/** Numbers that look random and are the same in each run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

Deno.test("ratioInterval() holds the true ratio of two noisy samples in about 95 of 100 cases", () => {
  let held = 0;
  for (let run = 1; run <= 100; run++) {
    const random = sequence(run * 7_919);
    const sample = (median: number) =>
      Array.from({ length: 30 }, () => median * (0.8 + 0.4 * random()));
    const { low, high } = ratioInterval(sample(150), sample(100), random);
    if (low <= 1.5 && 1.5 <= high) held++;
    assert.ok(high - low < 0.5, `${low} to ${high} is narrow`);
  }
  assert.ok(held >= 88, `${held} of 100`);
});

Deno.test("shuffled() keeps all items, and changes their order", () => {
  const items = Array.from({ length: 20 }, (_, index) => index);
  const order = shuffled(items, sequence(1));
  assert.deepEqual(order.toSorted((a, b) => a - b), items);
  assert.notDeepEqual(order, items);
});
