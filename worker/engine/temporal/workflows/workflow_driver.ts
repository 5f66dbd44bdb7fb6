import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from "@temporalio/workflow";
import type { ErrorRecord } from "@mpc/domain";
import type { Driver, StepOutcome, UndoOutcome } from "@mpc/services/orchestrate";
import type { StepEnd } from "../../step_end.ts";
import {
  type Carried,
  OPERATION_ENDED,
  type OperationTask,
  type Progress,
  type StepResult,
  type StepTask,
  undoActivity,
} from "../workflow_messages.ts";
import type { WorkflowStep } from "./workflow_step.ts";

type StepActivity = (task: StepTask) => Promise<StepResult>;

/** Runs each step as an activity; remembers outcomes, and returns known ones without running. */
export class WorkflowDriver implements Driver {
  readonly #task: Omit<OperationTask, "carried">;
  readonly #scope = CancellationScope.current();
  readonly #runs: Record<string, StepOutcome>;
  readonly #undos: Record<string, UndoOutcome>;
  #open: string | null;
  #running: string | null = null;
  #ends: readonly StepEnd[];
  #marked: boolean;

  constructor({ carried, ...task }: OperationTask) {
    this.#task = task;
    this.#runs = { ...carried.runs };
    this.#undos = { ...carried.undos };
    this.#open = carried.open;
    this.#ends = carried.ends;
    this.#marked = carried.cancelled;
  }

  /** Ends of steps that are not journaled yet. */
  get ends(): readonly StepEnd[] {
    return this.#ends;
  }

  get progress(): Progress {
    const undone = Object.keys(this.#undos);
    const done = Object.entries(this.#runs).flatMap(([step, { status }]) =>
      status === "succeeded" && !undone.includes(step) ? [step] : []
    );
    return { running: this.#running, done, undone, cancelled: this.#cancelled };
  }

  async runStep(step: WorkflowStep): Promise<StepOutcome> {
    return this.#runs[step.name] ??= await this.#run(step);
  }

  async undoStep(step: WorkflowStep): Promise<UndoOutcome> {
    return this.#undos[step.name] ??= await this.#undo(step);
  }

  get #cancelled(): boolean {
    return this.#marked || this.#scope.consideredCancelled;
  }

  async #run(step: WorkflowStep): Promise<StepOutcome> {
    if (this.#cancelled) {
      if (this.#open !== step.name) return { status: "skipped" };
      return this.#cutOff(step.name);
    }
    await this.#shorten();
    try {
      const { status, ends, marked } = await this.#activity(step, step.name);
      this.#ends = ends;
      this.#marked ||= marked;
      return { status };
    } catch (error) {
      if (isCancellation(error) || this.#notTriedAgain(error)) return this.#cutOff(step.name);
      return { status: "failed", error: this.#permanent(error) };
    }
  }

  async #undo(step: WorkflowStep): Promise<UndoOutcome> {
    await this.#shorten();
    try {
      const { ends } = await CancellationScope.nonCancellable(() =>
        this.#activity(step, undoActivity(step.name))
      );
      this.#ends = ends;
      return { status: "undone" };
    } catch (error) {
      return { status: "failed", error: this.#permanent(error) };
    }
  }

  async #activity(step: WorkflowStep, type: string): Promise<StepResult> {
    this.#running = type;
    try {
      // Somebody may complete an activity by hand. That is no result of ours: the step runs again,
      // and does nothing if it is done.
      for (;;) {
        const result: unknown = await activities(step)[type]!({ ...this.#task, ends: this.#ends });
        if (isStepResult(result)) return result;
      }
    } finally {
      this.#running = null;
    }
  }

  /**
   * Whether another try would have followed but for the cancellation: Temporal retries nothing once
   * it is requested, neither a try whose worker died nor one that a worker handed back. Where the
   * step never began, its undo does nothing.
   */
  #notTriedAgain(error: unknown): boolean {
    if (!this.#scope.consideredCancelled || !(error instanceof ActivityFailure)) return false;
    return !(error.cause instanceof ApplicationFailure && error.cause.nonRetryable);
  }

  /** Ends a step that no activity can report the end of. */
  #cutOff(step: string): StepOutcome {
    this.#ends = [...this.#ends, { step, state: "CANCELLED", output: null, time: Date.now() }];
    return { status: "cancelled" };
  }

  /** The error of a step that failed permanently; its activity has journaled it. */
  #permanent(error: unknown): ErrorRecord {
    if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) {
      throw error;
    }
    const { type, details } = error.cause;
    const [record] = details ?? [];
    if (type === OPERATION_ENDED || !isErrorRecord(record)) throw error.cause;
    this.#ends = [];
    return record;
  }

  /** Continues in a new run if the history has become long. */
  async #shorten(): Promise<void> {
    if (!workflowInfo().continueAsNewSuggested) return;
    const carried: Carried = {
      runs: this.#runs,
      undos: this.#undos,
      open: this.#open,
      ends: this.#ends,
      cancelled: this.#cancelled,
    };
    // Throws through the orchestrator: the new run walks the list again and finds finished steps
    // done.
    await continueAsNew<(task: OperationTask) => Promise<void>>({
      ...this.#task,
      carried,
    });
  }
}

/** Whether a worker has returned this, and not somebody who completed the activity by hand. */
const isStepResult = (value: unknown): value is StepResult =>
  isObject(value) && typeof value["status"] === "string" && Array.isArray(value["ends"]);

const isErrorRecord = (value: unknown): value is ErrorRecord =>
  isObject(value) && typeof value["code"] === "string" && Array.isArray(value["causes"]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/**
 * Neither the number of attempts nor the total time is limited: Temporal would count attempts of
 * dead workers and hours without any worker. The activity counts by the journal, and fails
 * permanently or says when to retry. Temporal's part is to notice that an attempt has lost its
 * worker.
 */
function activities(step: WorkflowStep): Record<string, StepActivity> {
  return proxyActivities<Record<string, StepActivity>>({
    startToCloseTimeout: step.startToCloseMs,
    heartbeatTimeout: step.heartbeatMs,
    cancellationType: "WAIT_CANCELLATION_COMPLETED",
    retry: {
      initialInterval: step.initialBackoffMs,
      maximumInterval: step.maxBackoffMs,
      backoffCoefficient: 2,
    },
  });
}
