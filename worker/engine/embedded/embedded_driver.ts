import { backoffMs, type ErrorRecord, idOf, type JsonObject, type Residue } from "@mpc/domain";
import type { Clock, Ids, Provider } from "@mpc/services";
import {
  type Definition,
  type Driver,
  endAttempt,
  failuresOf,
  journaledRun,
  journaledUndo,
  noteProgress,
  type OrchestratedStep,
  settleStep,
  startAttempt,
  type Step,
  type StepContext,
  stepOf,
  type StepOutcome,
  type UndoOutcome,
} from "@mpc/services/operations";
import type { Store } from "@mpc/storage";
import type { OperationJournal } from "./operation_journal.ts";
import { ProgressWriter } from "./progress_writer.ts";
import { type AttemptResult, runAttempt } from "./run_attempt.ts";

/** Thrown through the orchestrator when the engine closes: the operation goes on another day. */
export class EngineStopped extends Error {}

export interface DriverOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly definition: Definition;
  readonly journal: OperationJournal;
  readonly cancel: AbortSignal;
  readonly stop: AbortSignal;
}

const NEVER = new AbortController().signal;

/** Why progress of a try that is over ends; a reason of its own would cost a stack each time. */
const OVER = "the try is over";

/** Carries out steps in this process and journals each one in the operation's record. */
export class EmbeddedDriver implements Driver {
  readonly #options: DriverOptions;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  async runStep({ name }: OrchestratedStep): Promise<StepOutcome> {
    const { journal, clock, cancel } = this.#options;
    const record = stepOf(journal.operation, name);
    const journaled = journaledRun(record);
    if (journaled) return journaled;
    if (cancel.aborted) {
      if (record.state === "PENDING") return { status: "skipped" };
      this.#settle(name, "CANCELLED");
      return { status: "cancelled" };
    }
    const step = this.#step(name);
    const result = await this.#attempts(step, false, (c, input) => step.run(c, input));
    switch (result.status) {
      case "succeeded":
        journal.defer({
          edit: (op) =>
            settleStep(endAttempt(op, name, endedWell(clock.now())), name, clock.now(), {
              state: "SUCCEEDED",
              output: result.value ?? null,
            }),
          reason: "StepSucceeded",
          message: `Step '${name}' succeeded`,
        });
        return { status: "succeeded" };
      case "cancelled":
        this.#settle(name, "CANCELLED");
        return { status: "cancelled" };
      default:
        return result;
    }
  }

  async undoStep({ name }: OrchestratedStep): Promise<UndoOutcome> {
    const { journal, clock } = this.#options;
    const journaled = journaledUndo(stepOf(journal.operation, name));
    if (journaled) return journaled;
    const step = this.#step(name);
    const result = await this.#attempts(step, true, async (c, input) => {
      await step.undo?.(c, input);
    });
    if (result.status === "failed") return result;
    journal.defer({
      edit: (op) =>
        settleStep(endAttempt(op, name, endedWell(clock.now())), name, clock.now(), {
          state: "UNDONE",
        }),
      reason: "StepUndone",
      message: `Step '${name}' is undone`,
    });
    return { status: "undone" };
  }

  /** What the failed undos of these steps leave on the cluster. */
  residueOf(names: readonly string[]): readonly Residue[] {
    const { journal } = this.#options;
    const { input, name: operation } = journal.operation;
    return names.flatMap((name) => this.#step(name).residue?.(input, idOf(operation)) ?? []);
  }

  /** Tries until it works, fails for good, or is cancelled. */
  async #attempts<T>(
    step: Step<JsonObject>,
    undo: boolean,
    body: (context: StepContext, input: JsonObject) => Promise<T>,
  ): Promise<Exclude<AttemptResult<T>, { status: "stopped" }>> {
    const { journal, clock, ids, cancel, stop } = this.#options;
    const { name } = step;
    const began = firstAttemptTime(journal, name, undo) ?? clock.now();
    const end = Math.min(
      began + step.retry.budgetMs,
      undo ? Infinity : journal.operation.deadline,
    );
    for (;;) {
      await journal.record({
        edit: (op) => startAttempt(op, name, undo, clock.now()),
        reason: undo ? "UndoStarted" : "StepStarted",
        message: undo ? `Undo of '${name}' begins` : `Step '${name}' begins`,
      });
      if (!undo && cancel.aborted) return { status: "cancelled" };
      const result = await this.#attempt(step, undo, end, body);
      if (result.status === "stopped") throw new EngineStopped();
      if (result.status !== "failed") return result;
      const { error } = result;
      const failures = failuresOf(stepOf(journal.operation, name), undo) + 1;
      const pauseMs = backoffMs(step.retry, failures, ids.random());
      const nextRetryTime = clock.now() + pauseMs;
      if (!error.retryable || failures >= step.retry.maxAttempts || nextRetryTime >= end) {
        return { status: "failed", error: await this.#giveUp(name, undo, failures, error) };
      }
      await journal.record({
        edit: (op) => endAttempt(op, name, { now: clock.now(), error, nextRetryTime }),
        reason: undo ? "UndoRetrying" : "StepRetrying",
        message: `Attempt ${failures} of '${name}' failed: ${error.message}`,
      });
      try {
        await clock.sleep(pauseMs, AbortSignal.any([stop, undo ? NEVER : cancel]));
      } catch (error) {
        if (stop.aborted) throw new EngineStopped();
        if (cancel.aborted) return { status: "cancelled" };
        throw error;
      }
    }
  }

  async #attempt<T>(
    step: Step<JsonObject>,
    undo: boolean,
    end: number,
    body: (context: StepContext, input: JsonObject) => Promise<T>,
  ): Promise<AttemptResult<T>> {
    const { journal, clock, cancel, stop, store, provider } = this.#options;
    const { name } = step;
    const operation = journal.operation;
    const record = stepOf(operation, name);
    const finished = new AbortController();
    const progress = new ProgressWriter(clock, finished.signal, (text, detail) =>
      journal.record({
        edit: (op) =>
          stepOf(op, name).state === record.state
            ? noteProgress(op, name, clock.now(), text, detail)
            : op,
        reason: "StepProgressed",
        message: `Step '${name}': ${text}`,
      }));
    try {
      return await runAttempt({
        clock,
        timeoutMs: Math.max(1, Math.min(step.attemptTimeoutMs, end - clock.now())),
        cancel: undo ? NEVER : cancel,
        stop,
        body: (signal) =>
          body({
            operation: operation.name,
            target: operation.target,
            actor: operation.actor,
            attempt: record.attempts.findLast((attempt) => attempt.undo === undo)?.number ?? 1,
            signal,
            store,
            provider,
            now: () => clock.now(),
            outputs: outputsOf(operation.steps),
            lastHeartbeat: record.heartbeat,
            heartbeat: (text, detail = null) => progress.note(text, detail),
          }, operation.input),
      });
    } finally {
      finished.abort(OVER);
      await progress.closed();
    }
  }

  async #giveUp(
    name: string,
    undo: boolean,
    failures: number,
    error: ErrorRecord,
  ): Promise<ErrorRecord> {
    const { journal, clock } = this.#options;
    const { message: inner, code, reason } = error;
    const what = undo ? `Undo of step '${name}'` : `Step '${name}'`;
    const tries = failures === 1 ? "" : ` after ${failures} attempts`;
    const wrapped: ErrorRecord = {
      ...error,
      retryable: false,
      message: `${what} failed${tries}: ${inner}`,
      metadata: { ...error.metadata, step: name },
      causes: [{ code, reason, message: inner }, ...error.causes],
    };
    await journal.record({
      edit: (op) => {
        const now = clock.now();
        const ended = endAttempt(op, name, { now, error: wrapped, nextRetryTime: null });
        return settleStep(ended, name, now, { state: undo ? "UNDO_FAILED" : "FAILED" });
      },
      reason: undo ? "UndoFailed" : "StepFailed",
      message: wrapped.message,
    });
    return wrapped;
  }

  #settle(name: string, state: "CANCELLED"): void {
    const { journal, clock } = this.#options;
    const error: ErrorRecord = {
      code: "CANCELLED",
      reason: "OPERATION_CANCELLED",
      message: "Cancelled while it ran",
      retryable: false,
      metadata: {},
      causes: [],
    };
    journal.defer({
      edit: (op) => {
        const now = clock.now();
        return settleStep(
          endAttempt(op, name, { now, error, nextRetryTime: null }),
          name,
          now,
          { state },
        );
      },
      reason: "StepCancelled",
      message: `Step '${name}' was cancelled`,
    });
  }

  #step(name: string): Step<JsonObject> {
    const step = this.#options.definition.steps.find((step) => step.name === name);
    if (!step) throw new Error(`Cannot find step '${name}' of '${this.#options.definition.kind}'`);
    return step;
  }
}

function endedWell(now: number) {
  return { now, error: null, nextRetryTime: null };
}

function firstAttemptTime(
  journal: OperationJournal,
  name: string,
  undo: boolean,
): number | undefined {
  return stepOf(journal.operation, name).attempts.find((a) => a.undo === undo)?.startTime;
}

function outputsOf(
  steps: readonly { name: string; output: JsonObject | null }[],
): Record<string, JsonObject> {
  return Object.fromEntries(
    steps.flatMap(({ name, output }) => output === null ? [] : [[name, output]]),
  );
}
