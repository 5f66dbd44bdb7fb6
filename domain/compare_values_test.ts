import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { compareScalars, compareStrings } from "./compare_values.ts";

Deno.test("compareStrings() orders like the bytes of UTF-8", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "é", "\ufffd", "\u{1f600}", "\u{10ffff}"),
  });
  fc.assert(fc.property(text, text, (a, b) => {
    const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
    assert.equal(Math.sign(compareStrings(a, b)), bytes);
  }));
  assert.ok(compareStrings("\ufffd", "\u{1f600}") < 0, "UTF-16 units compare the other way round");
});

Deno.test("compareScalars() orders null, false, true, numbers, strings", () => {
  const ordered = [null, false, true, -1, 0, 10, "", "1", "a"];
  const shuffled = ["a", 10, true, "1", null, "", 0, false, -1];
  assert.deepEqual(shuffled.toSorted(compareScalars), ordered);
});
