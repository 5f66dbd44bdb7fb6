import assert from "node:assert/strict";
import type { EventReason } from "./event_reasons.ts";
import { setCondition } from "./condition.ts";

const ready = (status: "TRUE" | "FALSE", reason: EventReason = "Ready") => ({
  type: "Ready",
  status,
  reason,
  message: "",
  observedGeneration: 1,
});

Deno.test("setCondition() changes a condition's transition time only when its status changes", () => {
  const first = setCondition([], ready("FALSE"), 1);
  const same = setCondition(first, ready("FALSE", "Creating"), 2);
  assert.deepEqual(same.map((c) => [c.reason, c.lastTransitionTime]), [["Creating", 1]]);
  const turned = setCondition(same, ready("TRUE"), 3);
  assert.deepEqual(turned.map((c) => [c.status, c.lastTransitionTime]), [["TRUE", 3]]);
});

Deno.test("setCondition() keeps other conditions", () => {
  const both = setCondition(
    setCondition([], ready("TRUE"), 1),
    { ...ready("TRUE"), type: "Soon" },
    2,
  );
  assert.deepEqual(both.map(({ type }) => type), ["Ready", "Soon"]);
});
