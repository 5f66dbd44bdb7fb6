import assert from "node:assert/strict";
import fc from "fast-check";
import { formatCpu, formatMemory, parseCpuMillis, parseMemoryBytes } from "./quantity.ts";

const CPU: readonly (readonly [string, number | undefined])[] = [
  ["1", 1_000],
  ["500m", 500],
  ["1.5", 1_500],
  [".25", 250],
  ["1.1", 1_100],
  ["0.0001", 1],
  ["2k", 2_000_000],
  ["1e3", 1_000_000],
  ["", undefined],
  ["12xyz", undefined],
  ["-1", undefined],
  ["1 ", undefined],
  ["1,5", undefined],
  ["1e400", undefined],
  ["1Xi", undefined],
  [".", undefined],
];

for (const [text, millis] of CPU) {
  Deno.test(`parseCpuMillis() reads '${text}' as ${millis}`, () => {
    assert.equal(parseCpuMillis(text), millis);
  });
}

const MEMORY: readonly (readonly [string, number | undefined])[] = [
  ["1", 1],
  ["1k", 1_000],
  ["1Ki", 1_024],
  ["1.5Gi", 1_610_612_736],
  ["100M", 100_000_000],
  ["500m", 1],
  ["8Ei", undefined],
  ["ten", undefined],
];

for (const [text, bytes] of MEMORY) {
  Deno.test(`parseMemoryBytes() reads '${text}' as ${bytes}`, () => {
    assert.equal(parseMemoryBytes(text), bytes);
  });
}

Deno.test("a formatted quantity parses to the same amount", () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 40 }), (amount) => {
    assert.equal(parseCpuMillis(formatCpu(amount)), amount);
    assert.equal(parseMemoryBytes(formatMemory(amount)), amount);
  }));
});
