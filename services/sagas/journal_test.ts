import assert from "node:assert/strict";
import type { ErrorReason, ErrorRecord, Operation, StepAttempt, StepRecord } from "@mpc/domain";
import { anOperation } from "../../tests/fakes/documents.ts";
import {
  endAttempt,
  failuresOf,
  finish,
  INTERRUPTED,
  journaledRun,
  journaledUndo,
  newStepRecord,
  noteProgress,
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

/** Ends the open attempt by an outage; the next look is due a second later. */
function outage(operation: Operation, now: number, metadata: ErrorRecord["metadata"] = {}) {
  const away = { ...error("CLUSTER_UNREACHABLE"), metadata };
  return endAttempt(operation, STEP, { now, error: away, nextRetryTime: now + 1_000 });
}

const lastOf = (operation: Operation) => stepOf(operation, STEP).attempts.at(-1)!;

Deno.test("startAttempt() continues an attempt that an outage stopped, however often", () => {
  let operation = startAttempt(withStep(step({})), STEP, false, NOW);
  for (let now = NOW + 1_000; now <= NOW + 60_000; now += 1_000) {
    operation = startAttempt(outage(operation, now - 1_000), STEP, false, now);
    const { number, startTime, endTime, outageSince } = lastOf(operation);
    assert.deepEqual([number, startTime, endTime, outageSince], [1, NOW, null, NOW]);
  }
  assert.equal(stepOf(operation, STEP).attempts.length, 1);
});

Deno.test("startAttempt() does not charge a continued attempt for time without a process", () => {
  const begun = startAttempt(withStep(step({})), STEP, false, NOW);
  const operation = startAttempt(outage(begun, NOW), STEP, false, NOW + 61_000);
  assert.equal(lastOf(operation).startTime, NOW + 60_000);
});

Deno.test("an outage begins when its error says, and is over when the step reports progress", () => {
  const begun = startAttempt(withStep(step({})), STEP, false, NOW);
  const since = new Date(NOW - 5_000).toISOString();
  const away = startAttempt(outage(begun, NOW, { since }), STEP, false, NOW + 1_000);
  assert.equal(lastOf(away).outageSince, NOW - 5_000);
  const back = noteProgress(away, STEP, NOW + 2_000, "1 of 2 ready", null);
  assert.deepEqual([lastOf(back).outageSince, lastOf(back).error], [undefined, null]);
  assert.equal(lastOf(outage(back, NOW + 9_000)).outageSince, NOW + 9_000);
});

Deno.test("what is said about an outage goes when the attempt ends", () => {
  const begun = startAttempt(withStep(step({})), STEP, false, NOW);
  const told = noteProgress(outage(begun, NOW), STEP, NOW, "the cluster is away", null);
  const again = startAttempt(told, STEP, false, NOW + 1_000);
  assert.equal(stepOf(again, STEP).progress, "the cluster is away");
  const done = endAttempt(again, STEP, { now: NOW + 2_000, error: null, nextRetryTime: null });
  assert.equal(stepOf(done, STEP).progress, "");
});

Deno.test("an attempt has made what each of its looks has made, if all know it", () => {
  const rows:
    readonly (readonly [what: string, made: (string | undefined)[], string[] | undefined])[] = [
      ["nothing", ["", ""], []],
      ["what both made", ["A/x/a", "A/x/b, A/x/a"], ["A/x/a", "A/x/b"]],
      ["unknown, because the first is", [undefined, ""], undefined],
      ["unknown, because the last is", ["A/x/a", undefined], undefined],
    ];
  for (const [what, looks, made] of rows) {
    let operation = withStep(step({}));
    for (const [index, text] of looks.entries()) {
      const now = NOW + index * 1_000;
      const metadata = text === undefined ? {} : { made: text };
      operation = outage(startAttempt(operation, STEP, false, now), now, metadata);
    }
    assert.deepEqual(lastOf(operation).made, made, what);
  }
});

Deno.test("it is not known what the attempt of a killed process made", () => {
  const killed = startAttempt(withStep(step({})), STEP, false, NOW);
  const [first] = stepOf(startAttempt(killed, STEP, false, NOW + 1), STEP).attempts;
  assert.equal(first?.made, undefined);
});

Deno.test("failuresOf() counts attempts that failed or are no longer kept, not interrupted ones", () => {
  const rows: readonly (readonly [what: string, attempts: StepAttempt[], failures: number])[] = [
    ["none", [], 0],
    ["one that runs", [attempt(1, { endTime: null })], 0],
    ["two", [
      attempt(1, { error: error("NO_WORKER") }),
      attempt(2, { error: error("CLUSTER_FAILED") }),
    ], 2],
    ["an outage", [
      attempt(1, { error: error("NO_WORKER") }),
      attempt(2, { error: error("CLUSTER_UNREACHABLE") }),
    ], 1],
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
