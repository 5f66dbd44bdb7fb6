import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeResumeToken, encodeResumeToken } from "./resume_token.ts";

const sequences = fc.maxSafeNat();

Deno.test("a resume token contains the sequence that it was made from", () =>
  fc.assert(fc.property(sequences, (sequence) => {
    assert.equal(decodeResumeToken(encodeResumeToken(sequence)), sequence);
  })));

Deno.test("a resume token with a changed sequence is rejected", () =>
  fc.assert(
    fc.property(sequences, fc.integer({ min: 1, max: 1_000 }), (sequence, step) => {
      const [version, digits = "", check] = atob(encodeResumeToken(sequence)).split(":");
      const other = parseInt(digits, 36) > step ? sequence - step : sequence + step;
      const forged = btoa(`${version}:${other.toString(36)}:${check}`);
      assert.equal(decodeResumeToken(forged), undefined);
    }),
    { seed: 1, numRuns: 1_000 },
  ));

Deno.test("resume tokens of earlier versions are accepted, and other text is not", () => {
  assert.equal(decodeResumeToken(btoa("e1:42")), 42);
  const refused = ["", "42", "====", btoa("42"), btoa("e1:-1"), btoa("e2:a"), btoa("e2:a:0"), "é"];
  refused.push(btoa(`e2:${"z".repeat(11)}:0`), btoa("e3:1:1"));
  for (const token of refused) assert.equal(decodeResumeToken(token), undefined, token);
});
