/** The operation's record as a journal: pure functions from one record to the next. */
import {
  assertMove,
  type ErrorRecord,
  type Instant,
  isTerminal,
  type JsonObject,
  type JsonValue,
  type Operation,
  OPERATION_MOVES,
  type Residue,
  type StepAttempt,
  type StepRecord,
} from "@mpc/domain";
import { idleBefore } from "./idle_time.ts";
import type { Outcome, StepOutcome, UndoOutcome } from "./orchestrate.ts";

/** If there are many attempts, the first and this many of the last are kept. */
const KEPT_ATTEMPTS = 20;

/** The error of an attempt that a killed process left open; it does not count as a failure. */
export const INTERRUPTED = "INTERRUPTED";

/** The record of a step that has not begun. */
export function newStepRecord(name: string): StepRecord {
  return {
    name,
    state: "PENDING",
    attempts: [],
    startTime: null,
    endTime: null,
    progress: "",
    output: null,
    heartbeat: null,
  };
}

/** The record of a step. A step that a later version has added to the kind has not begun. */
export function stepOf({ steps }: Operation, name: string): StepRecord {
  return steps.find((step) => step.name === name) ?? newStepRecord(name);
}

/**
 * Begins an attempt of a step, or of its undo; closes an attempt that a killed process left open.
 */
export function startAttempt(
  operation: Operation,
  name: string,
  undo: boolean,
  now: Instant,
): Operation {
  const deadline = operation.deadline + idleBefore(operation, stepOf(operation, name), now);
  const begun = operation.state === "PENDING"
    ? { ...moveTo(operation, "RUNNING"), startTime: now }
    : operation;
  const endTime = operation.updateTime;
  return editStep({ ...begun, deadline, waitingReason: "" }, name, now, (step) => {
    const closed = step.attempts.map((attempt) =>
      attempt.endTime === null ? { ...attempt, endTime, error: interrupted() } : attempt
    );
    const number = closed.reduce((n, attempt) => attempt.undo === undo ? attempt.number : n, 0) + 1;
    const attempt: StepAttempt = {
      number,
      undo,
      startTime: now,
      endTime: null,
      error: null,
      nextRetryTime: null,
    };
    return {
      ...step,
      state: undo ? "UNDOING" : "RUNNING",
      startTime: step.startTime ?? now,
      endTime: null,
      attempts: trim([...closed, attempt]),
    };
  });
}

/** Ends the open attempt; with `nextRetryTime`, another attempt follows. */
export function endAttempt(
  operation: Operation,
  name: string,
  end: { now: Instant; error: ErrorRecord | null; nextRetryTime: Instant | null },
): Operation {
  return editStep(operation, name, end.now, (step) => ({
    ...step,
    attempts: step.attempts.map((attempt) =>
      attempt.endTime === null
        ? { ...attempt, endTime: end.now, error: end.error, nextRetryTime: end.nextRetryTime }
        : attempt
    ),
  }));
}

/** Settles a step after its last attempt. */
export function settleStep(
  operation: Operation,
  name: string,
  now: Instant,
  settled: { state: StepRecord["state"]; output?: JsonObject | null },
): Operation {
  return editStep(operation, name, now, (step) => ({
    ...step,
    state: settled.state,
    endTime: now,
    output: settled.output ?? step.output,
  }));
}

/** Records the progress of a running step. */
export function noteProgress(
  operation: Operation,
  name: string,
  now: Instant,
  progress: string,
  heartbeat: JsonValue,
): Operation {
  return editStep(operation, name, now, (step) => ({ ...step, progress, heartbeat }));
}

/** Ends an operation. */
export function finish(
  operation: Operation,
  outcome: Outcome,
  residue: readonly Residue[],
  now: Instant,
): Operation {
  if (isTerminal(operation.state)) return operation;
  // A cancellation before the first step still passes through CANCELLING.
  const from = outcome.state === "CANCELLED" && operation.state === "RUNNING"
    ? moveTo(operation, "CANCELLING")
    : operation;
  return {
    ...moveTo(from, outcome.state),
    error: outcome.error,
    residue: [...operation.residue, ...residue],
    endTime: now,
    updateTime: now,
    waitingReason: "",
  };
}

/** The journaled outcome of a step's run; undefined if it must run. */
export function journaledRun(step: StepRecord): StepOutcome | undefined {
  switch (step.state) {
    case "PENDING":
    case "RUNNING":
      return undefined;
    case "SUCCEEDED":
      return { status: "succeeded" };
    case "CANCELLED":
      return { status: "cancelled" };
    default: {
      // FAILED, or an undo has begun: the last attempt of the run tells how the run ended.
      const last = step.attempts.findLast((attempt) => !attempt.undo);
      if (!last?.error) return { status: last ? "succeeded" : "cancelled" };
      return last.error.code === "CANCELLED" || last.error.reason === INTERRUPTED
        ? { status: "cancelled" }
        : { status: "failed", error: last.error };
    }
  }
}

/** The journaled outcome of a step's undo; undefined if it must run. */
export function journaledUndo(step: StepRecord): UndoOutcome | undefined {
  if (step.state === "UNDONE") return { status: "undone" };
  if (step.state !== "UNDO_FAILED") return undefined;
  const error = step.attempts.findLast((attempt) => attempt.undo)?.error;
  return { status: "failed", error: error ?? interrupted() };
}

/**
 * How often a step's run, or its undo, has failed. A killed process does not count as a failure;
 * attempts that are no longer kept do.
 */
export function failuresOf(step: StepRecord, undo: boolean): number {
  const tries = step.attempts.filter((attempt) => attempt.undo === undo);
  const forgotten = (tries.at(-1)?.number ?? 0) - tries.length;
  const failed = tries.filter(({ error }) => error !== null && error.reason !== INTERRUPTED);
  return forgotten + failed.length;
}

function interrupted(): ErrorRecord {
  return {
    code: "UNAVAILABLE",
    reason: INTERRUPTED,
    message: "The process that ran this attempt ended",
    retryable: true,
    metadata: {},
    causes: [],
  };
}

function moveTo(operation: Operation, state: Operation["state"]): Operation {
  assertMove(OPERATION_MOVES, operation.name, operation.state, state);
  return { ...operation, state };
}

function editStep(
  operation: Operation,
  name: string,
  now: Instant,
  edit: (step: StepRecord) => StepRecord,
): Operation {
  const edited = edit(stepOf(operation, name));
  const steps = operation.steps.some((step) => step.name === name)
    ? operation.steps.map((step) => step.name === name ? edited : step)
    : [...operation.steps, edited];
  return { ...operation, steps, updateTime: now };
}

/** Trims runs and undos separately: a resumed driver needs the last attempt of the run. */
function trim(attempts: readonly StepAttempt[]): readonly StepAttempt[] {
  const kept = [false, true].flatMap((undo) => {
    const same = attempts.filter((attempt) => attempt.undo === undo);
    return same.length > KEPT_ATTEMPTS + 1
      ? [...same.slice(0, 1), ...same.slice(-KEPT_ATTEMPTS)]
      : same;
  });
  return kept.length === attempts.length ? attempts : kept;
}
