import assert from "node:assert/strict";
import fc from "fast-check";
import type { ErrorRecord } from "@mpc/domain";
import { orchestrate, type OrchestratedStep, type StepOutcome } from "./orchestrate.ts";

const error: ErrorRecord = {
  code: "INTERNAL",
  reason: "UNEXPECTED",
  message: "m",
  retryable: false,
  metadata: {},
  causes: [],
};

const steps: readonly OrchestratedStep[] = [
  { name: "a", onCancel: "undo", undoable: true },
  { name: "b", onCancel: "keep", undoable: true },
  { name: "c", onCancel: "keep", undoable: false },
  { name: "d", onCancel: "undo", undoable: true },
];

/** Runs the steps with these outcomes, and returns the calls of the driver in order. */
async function trace(
  outcomes: Readonly<Record<string, StepOutcome["status"]>>,
  badUndos: readonly string[] = [],
) {
  const asked: string[] = [];
  const outcome = await orchestrate(steps, {
    runStep({ name }) {
      asked.push(name);
      const status = outcomes[name] ?? "succeeded";
      return Promise.resolve(status === "failed" ? { status, error } : { status });
    },
    undoStep({ name }) {
      asked.push(`undo ${name}`);
      return Promise.resolve(
        badUndos.includes(name) ? { status: "failed", error } : { status: "undone" },
      );
    },
  });
  return { asked: asked.join(", "), state: outcome.state, stuck: outcome.stuck };
}

const CASES: readonly (readonly [
  string,
  Readonly<Record<string, StepOutcome["status"]>>,
  readonly string[],
  Awaited<ReturnType<typeof trace>>,
])[] = [
  ["all succeed", {}, [], { asked: "a, b, c, d", state: "SUCCEEDED", stuck: [] }],
  ["a failure undoes in reverse, including the failed step", { d: "failed" }, [], {
    asked: "a, b, c, d, undo d, undo b, undo a",
    state: "FAILED",
    stuck: [],
  }],
  ["a cancellation keeps steps that are declared so", { d: "cancelled" }, [], {
    asked: "a, b, c, d, undo d, undo a",
    state: "CANCELLED",
    stuck: [],
  }],
  ["a skipped step is not undone", { d: "skipped" }, [], {
    asked: "a, b, c, d, undo a",
    state: "CANCELLED",
    stuck: [],
  }],
  ["a failed undo does not stop the others", { d: "failed" }, ["b"], {
    asked: "a, b, c, d, undo d, undo b, undo a",
    state: "NEEDS_ATTENTION",
    stuck: ["b"],
  }],
  ["if nothing has begun, nothing is undone", { a: "skipped" }, [], {
    asked: "a",
    state: "CANCELLED",
    stuck: [],
  }],
];

for (const [title, outcomes, badUndos, expected] of CASES) {
  Deno.test(`orchestrate(): ${title}`, async () => {
    assert.deepEqual(await trace(outcomes, badUndos), expected);
  });
}

Deno.test("orchestrate() returns the step's error, otherwise that of the first failed undo", async () => {
  const named = (message: string): ErrorRecord => ({ ...error, message });
  const run = (last: StepOutcome) =>
    orchestrate(steps, {
      runStep: ({ name }) => Promise.resolve(name === "d" ? last : { status: "succeeded" }),
      undoStep: ({ name }) => Promise.resolve({ status: "failed", error: named(`undo ${name}`) }),
    });
  const failed = await run({ status: "failed", error: named("step d") });
  assert.deepEqual([failed.error?.message, failed.stuck], ["step d", ["d", "b", "a"]]);
  const cancelled = await run({ status: "cancelled" });
  assert.deepEqual([cancelled.error?.message, cancelled.stuck], ["undo d", ["d", "a"]]);
});

Deno.test("orchestrate() makes the same calls each time, so it can be replayed", async () => {
  const status = fc.constantFrom(
    "succeeded" as const,
    "failed" as const,
    "cancelled" as const,
    "skipped" as const,
  );
  const outcomes = fc.record({ a: status, b: status, c: status, d: status });
  await fc.assert(
    fc.asyncProperty(outcomes, fc.subarray(["a", "b", "d"]), async (outcomes, bad) => {
      const first = await trace(outcomes, bad);
      assert.deepEqual(await trace(outcomes, bad), first);
      const undone = first.asked.split(", ").filter((word) => word.startsWith("undo "));
      const order = undone.map((word) => word.slice(5));
      assert.deepEqual(order, order.toSorted().reverse(), "undo runs in reverse");
    }),
  );
});
