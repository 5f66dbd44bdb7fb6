import {
  backoffMs,
  type ErrorRecord,
  isOutage,
  isTerminal,
  type JsonObject,
  type JsonValue,
  momentOfOutage,
  type Operation,
  type StepAttempt,
} from "@mpc/domain";
import type { Clock, Ids, Provider } from "@mpc/services";
import {
  endAttempt,
  failuresOf,
  journaledRun,
  journaledUndo,
  noteProgress,
  settleStep,
  startAttempt,
  type Step,
  type StepContext,
  stepOf,
} from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { logAttempt } from "./log_attempt.ts";
import type { OperationJournal } from "./operation_journal.ts";
import { pauseOfOutage, tellGivenUp, tellOutage } from "./outage_wait.ts";
import { ProgressWriter } from "./progress_writer.ts";
import { type AttemptResult, runAttempt } from "./run_attempt.ts";
import type { StepEnd } from "./step_end.ts";
import { inStepSpan } from "./step_span.ts";
import type { TimeLimit, TimeLimits } from "./time_limits.ts";

/** What engines need to run steps. */
export interface StepTools {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Called at the end of each attempt; must not throw. */
  readonly onAttempt?: (attempt: EndedAttempt) => void;
  /** Called when a failed attempt is to be followed by another; must not throw. */
  readonly onRetry?: (retry: Retry) => void;
}

/** How an attempt of a step ended. */
export interface EndedAttempt {
  readonly step: string;
  readonly undo: boolean;
  readonly result: AttemptResult<unknown>;
}

/** A step that is tried again. */
export interface Retry {
  readonly step: string;
  readonly undo: boolean;
  readonly error: ErrorRecord;
}

/** One attempt of a step, or of its undo. */
export interface StepTry extends StepTools {
  readonly journal: OperationJournal;
  /** Of the same operation. */
  readonly limits: TimeLimits;
  readonly step: Step<JsonObject>;
  readonly undo: boolean;
  /** Aborted when the operation is cancelled; an undo ignores it. */
  readonly cancel: AbortSignal;
  /** Aborted when the engine closes, or may no longer run the operation. */
  readonly stop: AbortSignal;
  /** The detail of the last heartbeat, if the engine has a later one than the journal. */
  readonly lastHeartbeat?: JsonValue;
  /** Called with each heartbeat, in addition to the journal. */
  readonly onHeartbeat?: (detail: JsonValue) => void;
}

export type Tried =
  /** `end` is still to be written; null if the journal has it. */
  | { readonly status: "succeeded" | "cancelled"; readonly end: StepEnd | null }
  /** A permanent failure; the journal has it. */
  | { readonly status: "failed"; readonly error: ErrorRecord }
  /** The next attempt is due after the pause; the journal has it. */
  | { readonly status: "retry"; readonly error: ErrorRecord; readonly pauseMs: number }
  /** A cancellation came before the step began: there is nothing to run, and nothing to undo. */
  | { readonly status: "skipped" }
  /** The engine closes, or may not go on: the attempt has neither succeeded nor failed. */
  | { readonly status: "stopped" }
  /** The operation has ended, so none of its steps run any more. */
  | { readonly status: "ended" };

const NEVER = new AbortController().signal;

/** How long before the end of its time a step looks for the last time at a cluster that is away. */
const LAST_LOOK_MS = 1_000;

/** The reason for ending an attempt's progress; a new error each time would cost a stack trace. */
const OVER = "the try is over";

/**
 * Runs one attempt of a step and journals it: its start together with the end of the previous step,
 * a failure together with the time of the next attempt. A step that the journal has settled is not
 * run again. The engine decides when the attempts of a step follow one another.
 */
export async function tryStep(options: StepTry): Promise<Tried> {
  const { journal, undo, cancel, step: { name } } = options;
  if (isTerminal(journal.operation.state)) return { status: "ended" };
  const record = stepOf(journal.operation, name);
  const settled = settledBefore(record, undo);
  if (settled) return settled;
  // An engine that loses a worker cannot tell whether the step had begun.
  if (undo && record.state === "PENDING") return { status: "skipped" };
  if (!undo && cancel.aborted) return cancelled(options);
  await begin(options);
  if (isTerminal(journal.operation.state)) return { status: "ended" };
  if (!undo && cancel.aborted) return cancelled(options);
  const limit = options.limits.of(journal.operation, options.step, undo);
  const result = await attempt(options, limit);
  switch (result.status) {
    case "succeeded":
      return {
        status: "succeeded",
        end: endOf(options, undo ? "UNDONE" : "SUCCEEDED", result.value),
      };
    case "cancelled":
      return { status: "cancelled", end: endOf(options, "CANCELLED") };
    case "failed": {
      const tried = await failed(options, limit, result.error);
      if (tried.status === "retry") options.onRetry?.({ step: name, undo, error: tried.error });
      return tried;
    }
    case "stopped":
      return result;
  }
}

function settledBefore(record: Operation["steps"][number], undo: boolean): Tried | undefined {
  const journaled = undo ? journaledUndo(record) : journaledRun(record);
  switch (journaled?.status) {
    case "failed":
      return journaled;
    case "cancelled":
      return { status: "cancelled", end: null };
    case "succeeded":
    case "undone":
      return { status: "succeeded", end: null };
    default:
      return undefined;
  }
}

function cancelled(options: StepTry): Tried {
  const { state } = stepOf(options.journal.operation, options.step.name);
  if (state === "PENDING") return { status: "skipped" };
  return { status: "cancelled", end: endOf(options, "CANCELLED") };
}

function endOf(
  { step, clock }: StepTry,
  state: StepEnd["state"],
  output: JsonObject | void = undefined,
): StepEnd {
  return { step: step.name, state, output: output ?? null, time: clock.now() };
}

/** Only an undo may begin on an operation that is marked as cancelled. */
async function begin({ journal, step: { name }, undo, clock }: StepTry): Promise<void> {
  await journal.record({
    edit: (operation) =>
      operation.cancellation && !undo
        ? operation
        : startAttempt(operation, name, undo, clock.now()),
    reason: undo ? "UndoStarted" : "StepStarted",
    message: undo ? `Undo of '${name}' begins` : `Step '${name}' begins`,
  });
}

async function attempt(
  options: StepTry,
  limit: TimeLimit,
): Promise<AttemptResult<JsonObject | void>> {
  const { journal, clock, cancel, stop, step, undo } = options;
  const record = stepOf(journal.operation, step.name);
  const finished = new AbortController();
  const progress = new ProgressWriter(clock, finished.signal, (text, detail) =>
    journal.record({
      edit: (operation) =>
        stepOf(operation, step.name).state === record.state
          ? noteProgress(operation, step.name, clock.now(), text, detail)
          : operation,
      reason: "StepProgressed",
      message: `Step '${step.name}': ${text}`,
    }));
  const note = (text: string, detail: JsonValue = null) => {
    options.onHeartbeat?.(detail);
    progress.note(text, detail);
  };
  const { input } = journal.operation;
  try {
    const { name } = step;
    const attempt = numberOf(record, undo);
    const began = clock.monotonic();
    const result = await inStepSpan(journal.operation, { name, undo, attempt }, () =>
      runAttempt({
        clock,
        ...timeLimit(step, limit, clock.monotonic()),
        cancel: undo ? NEVER : cancel,
        stop,
        body: async (signal) => {
          const context = contextOf(options, signal, note);
          return await (undo ? step.undo?.(context, input) : step.run(context, input));
        },
      }));
    options.onAttempt?.({ step: name, undo, result });
    logAttempt({
      operation: journal.operation,
      ...{ step: name, undo, result, number: attempt },
      durationMs: clock.monotonic() - began,
    });
    return result;
  } finally {
    finished.abort(OVER);
    await progress.closed();
  }
}

function timeLimit(step: Step<JsonObject>, limit: TimeLimit, now: number) {
  const timeoutMs = Math.max(1, limit.at - now);
  return timeoutMs < step.attemptTimeoutMs
    ? { timeoutMs, timeOf: limit.of }
    : { timeoutMs: step.attemptTimeoutMs, timeOf: "attempt" as const };
}

function contextOf(
  options: StepTry,
  signal: AbortSignal,
  heartbeat: StepContext["heartbeat"],
): StepContext {
  const { journal, step, undo, clock, store, provider } = options;
  const { name, target, actor, steps } = journal.operation;
  const record = stepOf(journal.operation, step.name);
  const runs = record.attempts.filter((attempt) => !attempt.undo);
  return {
    operation: name,
    target,
    actor,
    attempt: numberOf(record, undo),
    signal,
    store,
    provider,
    now: () => clock.now(),
    outputs: Object.fromEntries(
      steps.flatMap(({ name, output }) => output === null ? [] : [[name, output]]),
    ),
    lastHeartbeat: options.lastHeartbeat ?? record.heartbeat,
    made: undo ? madeByAll(runs) : null,
    heartbeat,
  };
}

/** The number of the latest attempt of a step, or of its undo. */
const numberOf = ({ attempts }: Operation["steps"][number], undo: boolean): number =>
  attempts.findLast((attempt) => attempt.undo === undo)?.number ?? 1;

/** What failed attempts may have changed on the cluster; null where that is not known of each. */
function madeByAll(attempts: readonly StepAttempt[]): readonly string[] | null {
  const all = attempts.map(({ number, made, error }, index) =>
    // Attempts before it that are no longer kept may have made anything.
    error !== null && number === index + 1 ? made : undefined
  );
  return all.every((made) => made !== undefined) ? [...new Set(all.flat())] : null;
}

/** Decides whether a failure is final. */
async function failed(options: StepTry, limit: TimeLimit, error: ErrorRecord): Promise<Tried> {
  const { journal, clock, ids, undo, step: { name, retry } } = options;
  if (isOutage(error)) return await awaitCluster(options, limit, error);
  const failures = failuresOf(stepOf(journal.operation, name), undo) + 1;
  const pauseMs = backoffMs(retry, failures, ids.random());
  const late = clock.monotonic() + pauseMs >= limit.at;
  if (!error.retryable || failures >= retry.maxAttempts || late) {
    const tries = failures === 1 ? "" : ` after ${failures} attempts`;
    return { status: "failed", error: await giveUp(options, tries, error) };
  }
  const nextRetryTime = clock.now() + pauseMs;
  await journal.record({
    edit: (operation) => endAttempt(operation, name, { now: clock.now(), error, nextRetryTime }),
    reason: undo ? "UndoRetrying" : "StepRetrying",
    message: `Attempt ${failures} of '${name}' failed: ${error.message}`,
  });
  return { status: "retry", error, pauseMs };
}

/**
 * Waits for a cluster that does not answer. The attempt continues with the next look at the cluster,
 * as long as the step and the operation have time.
 */
async function awaitCluster(
  options: StepTry,
  limit: TimeLimit,
  error: ErrorRecord,
): Promise<Tried> {
  const { journal, clock, ids, undo, step: { name } } = options;
  const now = clock.now();
  const before = stepOf(journal.operation, name).attempts.at(-1)?.outageSince ?? now;
  const since = Math.min(before, momentOfOutage(error, "since") ?? now);
  const leftMs = limit.at - clock.monotonic();
  if (leftMs <= LAST_LOOK_MS) {
    const tries = `, because ${tellGivenUp(error, since)}`;
    return { status: "failed", error: await giveUp(options, tries, error) };
  }
  const wantedMs = pauseOfOutage(error, { since, now, random: ids.random() });
  const pauseMs = Math.min(wantedMs, leftMs - LAST_LOOK_MS);
  const again = now + pauseMs;
  const text = tellOutage(error, { since, again, until: now + leftMs });
  await journal.record({
    edit: (operation) => {
      const ended = endAttempt(operation, name, { now, error, nextRetryTime: again });
      return noteProgress(ended, name, now, text, stepOf(ended, name).heartbeat);
    },
    reason: undo ? "UndoRetrying" : "StepRetrying",
    message: `${undo ? "Undo of step" : "Step"} '${name}' waits: ${text}`,
  });
  return { status: "retry", error, pauseMs };
}

async function giveUp(
  { journal, clock, undo, step: { name } }: StepTry,
  tries: string,
  error: ErrorRecord,
): Promise<ErrorRecord> {
  const { message: inner, code, reason } = error;
  const what = undo ? `Undo of step '${name}'` : `Step '${name}'`;
  const wrapped: ErrorRecord = {
    ...error,
    retryable: false,
    message: `${what} failed${tries}: ${inner}`,
    metadata: { ...error.metadata, step: name },
    causes: [{ code, reason, message: inner }, ...error.causes],
  };
  await journal.record({
    edit: (operation) => {
      const now = clock.now();
      const ended = endAttempt(operation, name, { now, error: wrapped, nextRetryTime: null });
      return settleStep(ended, name, now, { state: undo ? "UNDO_FAILED" : "FAILED" });
    },
    reason: undo ? "UndoFailed" : "StepFailed",
    message: wrapped.message,
  });
  return wrapped;
}
