import assert from "node:assert/strict";
import { FrameBudget } from "./frame_budget.ts";
import { ConnectionError } from "./http2_frames.ts";

const LIMITS = { burst: 3, perSecond: 2 };

/** How many frames a budget allows at a time. */
function spend(budget: FrameBudget, now: number): number {
  for (let passed = 0;; passed++) {
    try {
      budget.spend(now);
    } catch (error) {
      if (error instanceof ConnectionError) return passed;
      throw error;
    }
  }
}

Deno.test("a budget allows its burst at once, and not one frame more", () => {
  assert.equal(spend(new FrameBudget("pings", LIMITS, 0), 0), 3);
});

Deno.test("a budget fills with time, by whole frames", () => {
  const budget = new FrameBudget("pings", LIMITS, 0);
  assert.equal(spend(budget, 0), 3);
  assert.equal(spend(budget, 499), 0);
  assert.equal(spend(budget, 1_000), 2);
});

Deno.test("a budget never holds more than its burst", () => {
  const budget = new FrameBudget("pings", LIMITS, 0);
  assert.equal(spend(budget, 0), 3);
  assert.equal(spend(budget, 3_600_000), 3);
});

Deno.test("a budget that is reset is full", () => {
  const budget = new FrameBudget("pings", LIMITS, 0);
  spend(budget, 0);
  budget.reset();
  assert.equal(spend(budget, 0), 3);
});
