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

/**
 * The last update of an operation was 5 s ago; how long no process has worked on it in each case.
 */
const CASES: readonly (readonly [string, readonly StepAttempt[], number])[] = [
  ["the step before has ended", [], 5_000],
  ["its attempt was interrupted", [attempt({})], 5_000],
  [
    "its next attempt has been due for 2 s",
    [attempt({ endTime: NOW - 8_000, nextRetryTime: NOW - 2_000 })],
    2_000,
  ],
  ["its next attempt is not yet due", [attempt({ endTime: NOW, nextRetryTime: NOW + 2_000 })], 0],
  ["its run has ended, and its undo is due", [attempt({ endTime: NOW - 5_000 })], 5_000],
];

Deno.test("idleBefore() is the time in which no process worked on an operation", async (t) => {
  for (const [what, attempts, idleMs] of CASES) {
    await t.step(`${what}: ${idleMs} ms`, () => {
      const operation = anOperation("1", { startTime: NOW - 10_000, updateTime: NOW - 5_000 });
      const step = { ...newStepRecord("create_namespace"), attempts };
      assert.equal(idleBefore(operation, step, NOW), idleMs);
    });
  }
});
