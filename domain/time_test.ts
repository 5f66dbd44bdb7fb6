import assert from "node:assert/strict";
import fc from "fast-check";
import { expireTimeOf, TTL_LIMITS_MS } from "./time.ts";

Deno.test("a time to live counts from now, and rounds up to whole milliseconds", () => {
  assert.equal(expireTimeOf(1_000, 60_000), 61_000);
  assert.equal(expireTimeOf(0, 60_000.2), 60_001);
});

for (const ttl of [TTL_LIMITS_MS.min - 1, TTL_LIMITS_MS.max + 1, 0, -1, NaN, Infinity]) {
  Deno.test(`a time to live of ${ttl} ms is rejected`, () => {
    assert.throws(() => expireTimeOf(0, ttl), RangeError);
  });
}

Deno.test("a longer time to live expires later, and never before now", () => {
  const ttl = fc.integer(TTL_LIMITS_MS);
  fc.assert(fc.property(fc.nat(), ttl, ttl, (now, a, b) => {
    assert.equal(a < b, expireTimeOf(now, a) < expireTimeOf(now, b));
    assert.ok(expireTimeOf(now, a) >= now + TTL_LIMITS_MS.min);
  }));
});
