import type { ErrorRecord, OperationState } from "@mpc/domain";

/** What the orchestrator needs to know about a step. */
export interface OrchestratedStep {
  readonly name: string;
  readonly onCancel: "undo" | "keep";
  /** Whether it has an undo. */
  readonly undoable: boolean;
}

export type StepOutcome =
  | { readonly status: "succeeded" }
  /** Failed permanently, after its retries. */
  | { readonly status: "failed"; readonly error: ErrorRecord }
  /** A cancellation stopped it after it had begun. */
  | { readonly status: "cancelled" }
  /** A cancellation came before it began. */
  | { readonly status: "skipped" };

export type UndoOutcome =
  | { readonly status: "undone" }
  | { readonly status: "failed"; readonly error: ErrorRecord };

/**
 * How an engine executes the orchestrator's decisions. A driver that resumes an operation returns
 * journaled outcomes for finished steps, so the orchestrator simply starts over.
 */
export interface Driver {
  runStep(step: OrchestratedStep): Promise<StepOutcome>;
  /** Never cancelled: an undo that must run runs to its end. */
  undoStep(step: OrchestratedStep): Promise<UndoOutcome>;
}

/** The states of an operation that has ended. */
export type Ending = Extract<
  OperationState,
  "SUCCEEDED" | "FAILED" | "CANCELLED" | "NEEDS_ATTENTION"
>;

const ENDINGS: ReadonlySet<OperationState> = new Set<Ending>([
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "NEEDS_ATTENTION",
]);

/** Whether an operation in this state has ended. */
export const isEnding = (state: OperationState): state is Ending => ENDINGS.has(state);

/** How an operation ended. */
export interface Outcome {
  readonly state: Ending;
  readonly error: ErrorRecord | null;
  /** Steps whose undo failed. */
  readonly stuck: readonly string[];
}

/**
 * Walks a list of steps: runs them in order; after a permanent failure or a cancellation, undoes
 * the steps that have begun, in reverse (a saga: Garcia-Molina and Salem, 1987).
 *
 * The failed step is undone too, because it may have done a part of its work. A failed undo does
 * not stop the others. Deterministic: without clock, randomness or I/O, so it can run in a Temporal
 * workflow.
 */
export async function orchestrate(
  steps: readonly OrchestratedStep[],
  driver: Driver,
): Promise<Outcome> {
  const begun: OrchestratedStep[] = [];
  for (const step of steps) {
    begun.push(step);
    const outcome = await driver.runStep(step);
    if (outcome.status === "succeeded") continue;
    if (outcome.status === "failed") {
      return await undoAll(begun.filter((s) => s.undoable), "FAILED", outcome.error, driver);
    }
    if (outcome.status === "skipped") begun.pop();
    const toUndo = begun.filter((s) => s.undoable && s.onCancel === "undo");
    return await undoAll(toUndo, "CANCELLED", null, driver);
  }
  return { state: "SUCCEEDED", error: null, stuck: [] };
}

async function undoAll(
  steps: readonly OrchestratedStep[],
  ending: "FAILED" | "CANCELLED",
  cause: ErrorRecord | null,
  driver: Driver,
): Promise<Outcome> {
  const stuck: string[] = [];
  let error = cause;
  for (const step of steps.toReversed()) {
    const outcome = await driver.undoStep(step);
    if (outcome.status === "failed") {
      stuck.push(step.name);
      error ??= outcome.error;
    }
  }
  return { state: stuck.length > 0 ? "NEEDS_ATTENTION" : ending, error, stuck };
}
