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
  readonly #operation: string;
  readonly #scope = CancellationScope.current();
  readonly #runs: Record<string, StepOutcome>;
  readonly #undos: Record<string, UndoOutcome>;
  #open: string | null;
  #running: string | null = null;
  #ends: readonly StepEnd[];
  #marked: boolean;

  constructor({ operation, carried }: OperationTask) {
    this.#operation = operation;
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
      if (isCancellation(error)) return this.#cutOff(step.name);
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
      return await activities(step)[type]!({ operation: this.#operation, ends: this.#ends });
    } finally {
      this.#running = null;
    }
  }

  /** The cancellation came between two attempts, so no activity reported how the step ended. */
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
    if (type === OPERATION_ENDED || !details?.[0]) throw error.cause;
    this.#ends = [];
    return details[0] as ErrorRecord;
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
      operation: this.#operation,
      carried,
    });
  }
}

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
