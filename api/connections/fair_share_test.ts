import assert from "node:assert/strict";
import fc from "fast-check";
import { FairShare } from "./fair_share.ts";

Deno.test("a peer may hold half of what the others leave free", () => {
  const amount = new FairShare(100);
  const [first, second] = [amount.share(), amount.share()];
  assert.equal(first.take(51), false, "more than half");
  assert.equal(first.take(50), true);
  assert.equal(first.take(1), false);
  assert.equal(second.take(25), true);
  assert.equal(second.take(1), false);
  second.give(25);
  first.give(20);
  assert.equal(second.take(35), true);
  assert.equal(amount.used, 65);
});

Deno.test("a new peer always gets something, and the total is never exceeded", () => {
  const step = fc.record({ peer: fc.nat(4), amount: fc.integer({ min: 1, max: 2_000 }) });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const amount = new FairShare(1_000);
    const peers = Array.from({ length: 5 }, () => amount.share());
    for (const { peer, amount } of steps) peers[peer]!.take(amount);
    assert.ok(amount.used < 1_000);
    assert.ok(amount.share().take(1), "a sixth peer gets one");
  }));
});
