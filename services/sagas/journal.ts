/** The operation's record as a journal: pure functions from one record to the next. */
import {
  assertMove,
  type ErrorRecord,
  type Instant,
  isOutage,
  isTerminal,
  type JsonObject,
  type JsonValue,
  madeBy,
  momentOfOutage,
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
 * Begins an attempt of a step, or of its undo; closes an attempt that a killed process left open. An
 * attempt that an outage of the cluster stopped is continued: it keeps its number, so that looking
 * again uses up no attempt.
 */
export function startAttempt(
  operation: Operation,
  name: string,
  undo: boolean,
  now: Instant,
): Operation {
  const deadline = operation.deadline + idleBefore(operation, stepOf(operation, name), now);
  const begun = operation.state === "PENDING"
    ? { ...moveTo(operation, operation.cancellation ? "CANCELLING" : "RUNNING"), startTime: now }
    : operation;
  const endTime = operation.updateTime;
  return editStep({ ...begun, deadline, waitingReason: "" }, name, now, (step) => {
    const last = step.attempts.at(-1);
    const begun = { state: undo ? "UNDOING" as const : "RUNNING" as const, endTime: null };
    if (last?.undo === undo && last.nextRetryTime !== null && last.outageSince !== undefined) {
      const attempts = [...step.attempts.slice(0, -1), continued(last, last.nextRetryTime, now)];
      return { ...step, ...begun, attempts };
    }
    const closed = step.attempts.map((attempt) =>
      attempt.endTime === null ? cutOff(attempt, endTime) : attempt
    );
    const number = closed.reduce((n, attempt) => attempt.undo === undo ? attempt.number : n, 0) + 1;
    const attempt: StepAttempt = {
      number,
      undo,
      startTime: now,
      endTime: null,
      error: null,
      nextRetryTime: null,
      made: [],
    };
    return {
      ...step,
      ...begun,
      startTime: step.startTime ?? now,
      progress: progressAfter(last, step.progress),
      attempts: trim([...closed, attempt]),
    };
  });
}

/** How an attempt ended. */
interface AttemptEnd {
  readonly now: Instant;
  readonly error: ErrorRecord | null;
  readonly nextRetryTime: Instant | null;
}

/** Ends the open attempt; with `nextRetryTime`, another attempt follows. */
export function endAttempt(operation: Operation, name: string, end: AttemptEnd): Operation {
  return editStep(operation, name, end.now, (step) => ({
    ...step,
    progress: progressAfter(step.attempts.at(-1), step.progress),
    attempts: step.attempts.map((attempt) =>
      attempt.endTime === null ? ended(attempt, end) : attempt
    ),
  }));
}

/** The progress of a step after an attempt: what it says about an outage is over. */
const progressAfter = (attempt: StepAttempt | undefined, progress: string): string =>
  attempt?.outageSince === undefined ? progress : "";

function ended(
  { made: before, outageSince, ...attempt }: StepAttempt,
  { now: endTime, error, nextRetryTime }: AttemptEnd,
): StepAttempt {
  const made = error && madeBy(error);
  return {
    ...attempt,
    endTime,
    error,
    nextRetryTime,
    ...(before && made && { made: [...new Set([...before, ...made])] }),
    ...(error && isOutage(error) && {
      outageSince: Math.min(
        endTime,
        outageSince ?? endTime,
        momentOfOutage(error, "since") ?? endTime,
      ),
    }),
  };
}

const withoutOutage = ({ outageSince: _, ...attempt }: StepAttempt): StepAttempt => attempt;

/**
 * An attempt that looks at the cluster again; its error says why it must. The time in which no
 * process looked is not its own.
 */
function continued(attempt: StepAttempt, due: Instant, now: Instant): StepAttempt {
  return {
    ...attempt,
    startTime: attempt.startTime + Math.max(0, now - due),
    endTime: null,
    nextRetryTime: null,
  };
}

/** The attempt of a killed process, of which it is not known what it made. */
function cutOff({ made: _, ...attempt }: StepAttempt, endTime: Instant): StepAttempt {
  return { ...withoutOutage(attempt), endTime, error: interrupted() };
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

/** Records the progress of a running step, whose cluster therefore answers. */
export function noteProgress(
  operation: Operation,
  name: string,
  now: Instant,
  progress: string,
  heartbeat: JsonValue,
): Operation {
  return editStep(operation, name, now, (step) => ({
    ...step,
    progress,
    heartbeat,
    attempts: step.attempts.map((attempt) =>
      attempt.endTime === null ? { ...withoutOutage(attempt), error: null } : attempt
    ),
  }));
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
  const from = outcome.state === "CANCELLED" && operation.state !== "CANCELLING"
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
 * How often a step's run, or its undo, has failed. Neither a killed process nor an outage of the
 * cluster counts as a failure; attempts that are no longer kept do.
 */
export function failuresOf(step: StepRecord, undo: boolean): number {
  const tries = step.attempts.filter((attempt) => attempt.undo === undo);
  const forgotten = (tries.at(-1)?.number ?? 0) - tries.length;
  const failed = tries.filter(({ error }) =>
    error !== null && error.reason !== INTERRUPTED && !isOutage(error)
  );
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
