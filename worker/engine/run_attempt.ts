import { type ErrorRecord, formatSeconds, isMpcError, MpcError, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";

/** How long an aborted attempt may take to report why it ended. */
const GRACE_MS = 1_000;

/** The reason for ending an attempt's timers; a new error each time would cost a stack trace. */
const OVER = "the try is over";

export type AttemptResult<T> =
  | { readonly status: "succeeded"; readonly value: T }
  | { readonly status: "failed"; readonly error: ErrorRecord }
  | { readonly status: "cancelled" }
  /** The engine closes, or may not go on: the attempt has neither succeeded nor failed. */
  | { readonly status: "stopped" };

/** Which limit applies: `ATTEMPT_TIMED_OUT`, `STEP_TIMED_OUT` or `OPERATION_TIMED_OUT`. */
export type TimeOf = "attempt" | "step" | "operation";

export interface Attempt<T> {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whose limit `timeoutMs` is. */
  readonly timeOf: TimeOf;
  /** Cancels the attempt; never aborted for an undo. */
  readonly cancel: AbortSignal;
  /** Aborted when the engine closes, or may no longer run the operation. */
  readonly stop: AbortSignal;
  readonly body: (signal: AbortSignal) => Promise<T>;
}

/**
 * Runs one attempt with a time limit. A body that ignores its signal keeps running unobserved,
 * which is harmless because steps are idempotent.
 */
export async function runAttempt<T>(attempt: Attempt<T>): Promise<AttemptResult<T>> {
  const { clock, timeoutMs, timeOf, cancel, stop, body } = attempt;
  const timeout = new AbortController();
  const ended = new AbortController();
  const signal = AbortSignal.any([cancel, stop, timeout.signal]);
  const timer = sleepUnlessAborted(clock, timeoutMs, ended.signal)
    .then((slept) => slept && timeout.abort(timedOut(timeOf, timeoutMs)));
  const result = settled(body, signal);
  try {
    const first = await Promise.race([result, whenAborted(signal, ended.signal)]);
    if (!first && stop.aborted) return { status: "stopped" };
    const outcome = first ??
      await Promise.race([result, grace(clock, AbortSignal.any([ended.signal, stop]))]);
    if (outcome?.status === "succeeded") return outcome;
    if (stop.aborted) return { status: "stopped" };
    if (cancel.aborted) return { status: "cancelled" };
    // A body that the time limit stopped may report what it was waiting for.
    const knows = outcome && !(timeout.signal.aborted && isMpcError(outcome.error, "CANCELLED"));
    return { status: "failed", error: recordError(knows ? outcome.error : timeout.signal.reason) };
  } finally {
    ended.abort(OVER);
    await timer;
  }
}

type Settled<T> =
  | { readonly status: "succeeded"; readonly value: T }
  | { readonly status: "rejected"; readonly error: unknown };

async function settled<T>(
  body: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<Settled<T>> {
  try {
    return { status: "succeeded", value: await body(signal) };
  } catch (error) {
    return { status: "rejected", error };
  }
}

function whenAborted(signal: AbortSignal, ended: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true, signal: ended });
  });
}

async function grace(clock: Clock, over: AbortSignal): Promise<undefined> {
  await sleepUnlessAborted(clock, GRACE_MS, over);
}

const TIMED_OUT = {
  attempt: "ATTEMPT_TIMED_OUT",
  step: "STEP_TIMED_OUT",
  operation: "OPERATION_TIMED_OUT",
} as const;

function timedOut(timeOf: TimeOf, timeoutMs: number): MpcError {
  const time = formatSeconds(timeoutMs);
  return new MpcError("DEADLINE_EXCEEDED", {
    reason: TIMED_OUT[timeOf],
    message: timeOf === "attempt"
      ? `The attempt did not finish within ${time}`
      : `The time of the ${timeOf} was up after the attempt's first ${time}`,
  });
}
