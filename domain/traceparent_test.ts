import assert from "node:assert/strict";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

const [TRACE, SPAN] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];

Deno.test("a traceparent is read and written", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  const parsed = parseTraceparent(text);
  assert.deepEqual(parsed, { traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  assert.equal(formatTraceparent(parsed!), text);
});

const NONE: readonly (string | null)[] = [
  null,
  "",
  `00-${TRACE}-${SPAN}`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
];

for (const text of NONE) {
  Deno.test(`'${text}' is not a traceparent`, () => {
    assert.equal(parseTraceparent(text), null);
  });
}
