import assert from "node:assert/strict";
import { formatSeconds } from "./time.ts";

Deno.test("formatSeconds() rounds to tenths, and drops a zero", () => {
  assert.deepEqual([30_000, 28_531.249_999, 140, 0].map(formatSeconds), [
    "30 s",
    "28.5 s",
    "0.1 s",
    "0 s",
  ]);
});
