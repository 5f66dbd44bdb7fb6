import assert from "node:assert/strict";
import type { StepAttempt } from "@mpc/domain";
import { anOperation } from "../../tests/fakes/documents.ts";
import { idleBefore } from "./idle_time.ts";
import { newStepRecord } from "./journal.ts";

const NOW = 1_000_000;

const attempt = (ended: Partial<StepAttempt>): StepAttempt => ({
  number: 1,
  undo: false,
  startTime: NOW - 9_000,
  endTime: null,
  error: null,
  nextRetryTime: null,
  ...ended,
});

/** What was heard of an operation last 5 s ago, and for how long nobody has worked on it. */
const CASES: readonly (readonly [string, readonly StepAttempt[], number])[] = [
  ["the step before has ended", [], 5_000],
  ["its try was cut off", [attempt({})], 5_000],
  [
    "its next try is due since 2 s",
    [attempt({ endTime: NOW - 8_000, nextRetryTime: NOW - 2_000 })],
    2_000,
  ],
  ["its next try is not yet due", [attempt({ endTime: NOW, nextRetryTime: NOW + 2_000 })], 0],
  ["its run has ended, and its undo is due", [attempt({ endTime: NOW - 5_000 })], 5_000],
];

Deno.test("the time in which nobody works on an operation is known, whatever comes next", async (t) => {
  for (const [what, attempts, idleMs] of CASES) {
    await t.step(`${what}: ${idleMs} ms`, () => {
      const operation = anOperation("1", { startTime: NOW - 10_000, updateTime: NOW - 5_000 });
      const step = { ...newStepRecord("create_namespace"), attempts };
      assert.equal(idleBefore(operation, step, NOW), idleMs);
    });
  }
});
