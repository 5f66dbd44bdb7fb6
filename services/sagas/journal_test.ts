import assert from "node:assert/strict";
import type { ErrorReason, ErrorRecord, Operation, StepAttempt, StepRecord } from "@mpc/domain";
import { anOperation } from "../../tests/fakes/documents.ts";
import {
  failuresOf,
  finish,
  INTERRUPTED,
  journaledRun,
  journaledUndo,
  newStepRecord,
  startAttempt,
  stepOf,
} from "./journal.ts";

const STEP = "apply";
const NOW = Date.UTC(2030, 0, 1);

const error = (reason: ErrorReason, code: ErrorRecord["code"] = "UNAVAILABLE"): ErrorRecord => ({
  code,
  reason,
  message: reason,
  retryable: true,
  metadata: {},
  causes: [],
});

const attempt = (number: number, more: Partial<StepAttempt> = {}): StepAttempt => ({
  number,
  undo: false,
  startTime: NOW,
  endTime: NOW,
  error: null,
  nextRetryTime: null,
  ...more,
});

const step = (more: Partial<StepRecord>): StepRecord => ({ ...newStepRecord(STEP), ...more });

const withStep = (record: StepRecord): Operation =>
  anOperation("op", { state: "RUNNING", startTime: NOW, steps: [record] });

Deno.test("startAttempt() numbers runs and undos separately", () => {
  const attempts = [attempt(1), attempt(2), attempt(1, { undo: true })];
  const begun = (undo: boolean) => {
    const operation = startAttempt(withStep(step({ attempts })), STEP, undo, NOW + 5);
    const { number, startTime, endTime } = stepOf(operation, STEP).attempts.at(-1)!;
    return [number, startTime, endTime];
  };
  assert.deepEqual(begun(false), [3, NOW + 5, null]);
  assert.deepEqual(begun(true), [2, NOW + 5, null]);
});

Deno.test("startAttempt() closes the attempt that a killed process left open", () => {
  const operation = withStep(step({ state: "RUNNING", attempts: [attempt(1, { endTime: null })] }));
  const [first, second] = stepOf(startAttempt(operation, STEP, false, NOW + 5), STEP).attempts;
  assert.deepEqual([first?.endTime, first?.error?.reason], [operation.updateTime, INTERRUPTED]);
  assert.deepEqual([second?.endTime, second?.error], [null, null]);
});

Deno.test("startAttempt() keeps the first attempt and the last twenty, and counts all", () => {
  let operation = withStep(step({}));
  const numbers = () => stepOf(operation, STEP).attempts.map(({ number }) => number);
  for (let number = 1; number <= 21; number++) {
    operation = startAttempt(operation, STEP, false, NOW + number);
  }
  assert.deepEqual(numbers(), Array.from({ length: 21 }, (_, index) => index + 1));
  operation = startAttempt(operation, STEP, false, NOW + 22);
  assert.deepEqual(numbers(), [1, ...Array.from({ length: 20 }, (_, index) => index + 3)]);
});

Deno.test("startAttempt() extends the deadline by the time in which no process worked", () => {
  const killed = step({ state: "RUNNING", attempts: [attempt(1, { endTime: null })] });
  const operation = { ...withStep(killed), updateTime: NOW + 1_000 };
  const later = startAttempt(operation, STEP, false, NOW + 61_000);
  assert.equal(later.deadline - operation.deadline, 60_000);
});

Deno.test("failuresOf() counts attempts that failed or are no longer kept, not interrupted ones", () => {
  const rows: readonly (readonly [what: string, attempts: StepAttempt[], failures: number])[] = [
    ["none", [], 0],
    ["one that runs", [attempt(1, { endTime: null })], 0],
    ["two", [
      attempt(1, { error: error("NO_WORKER") }),
      attempt(2, { error: error("CLUSTER_UNREACHABLE") }),
    ], 2],
    ["a killed one", [attempt(1, { error: error(INTERRUPTED) })], 0],
    ["three that are not kept", [attempt(1, { error: error("NO_WORKER") }), attempt(5)], 4],
    ["an undo", [attempt(1, { undo: true, error: error("NO_WORKER") })], 0],
  ];
  for (const [what, attempts, failures] of rows) {
    assert.equal(failuresOf(step({ attempts }), false), failures, what);
  }
});

Deno.test("journaledRun() returns how a step's run ended, whatever its undo did", () => {
  const undone = attempt(1, { undo: true });
  const failure = error("CRASH_LOOP", "FAILED_PRECONDITION");
  const rows: readonly (readonly [what: string, record: Partial<StepRecord>, status?: string])[] = [
    ["has not begun", { state: "PENDING" }],
    ["runs", { state: "RUNNING" }],
    ["succeeded", { state: "SUCCEEDED" }, "succeeded"],
    ["cancelled", { state: "CANCELLED" }, "cancelled"],
    ["failed", { state: "FAILED", attempts: [attempt(1, { error: failure })] }, "failed"],
    ["undone after it succeeded", { state: "UNDONE", attempts: [attempt(1), undone] }, "succeeded"],
    [
      "undone after it failed",
      { state: "UNDONE", attempts: [attempt(1, { error: failure }), undone] },
      "failed",
    ],
    [
      "undone after its process was killed",
      { state: "UNDONE", attempts: [attempt(1, { error: error(INTERRUPTED) }), undone] },
      "cancelled",
    ],
    [
      "undone after it was cancelled",
      {
        state: "UNDOING",
        attempts: [attempt(1, { error: error("OPERATION_CANCELLED", "CANCELLED") }), undone],
      },
      "cancelled",
    ],
  ];
  for (const [what, record, status] of rows) {
    assert.equal(journaledRun(step(record))?.status, status, what);
  }
});

Deno.test("journaledUndo() returns how a step's undo ended, or that it must run", () => {
  const bad = attempt(1, { undo: true, error: error("CRASH_LOOP") });
  assert.deepEqual(journaledUndo(step({ state: "UNDONE" })), { status: "undone" });
  assert.equal(journaledUndo(step({ state: "UNDOING" })), undefined);
  assert.equal(journaledUndo(step({ state: "SUCCEEDED" })), undefined);
  const failed = journaledUndo(step({ state: "UNDO_FAILED", attempts: [attempt(1), bad] }));
  assert.deepEqual(failed, { status: "failed", error: error("CRASH_LOOP") });
});

Deno.test("finish() ends an operation once, and adds the residue of its retries", () => {
  const residue = (object: string) => ({ object, reason: "", remedy: "mpctl doctor" });
  const running = anOperation("op", { state: "RUNNING", residue: [residue("old")] });
  const stuck = { state: "NEEDS_ATTENTION" as const, error: error("CRASH_LOOP"), stuck: [STEP] };
  const ended = finish(running, stuck, [residue("new")], NOW + 1);
  assert.deepEqual([ended.state, ended.endTime, ended.error?.reason], [
    "NEEDS_ATTENTION",
    NOW + 1,
    "CRASH_LOOP",
  ]);
  assert.deepEqual(ended.residue, [residue("old"), residue("new")]);
  const again = { state: "SUCCEEDED" as const, error: null, stuck: [] };
  assert.equal(finish(ended, again, [], NOW + 2), ended);
});

Deno.test("finish() moves a running operation that is cancelled through CANCELLING", () => {
  const outcome = { state: "CANCELLED" as const, error: null, stuck: [] };
  const running = anOperation("op", { state: "RUNNING" });
  assert.equal(finish(running, outcome, [], NOW).state, "CANCELLED");
});
