/** What engine, workflow and activities send each other through Temporal: JSON without secrets. */
import type { Outcome, StepOutcome, UndoOutcome } from "@mpc/services/orchestrate";
import type { StepEnd } from "../step_end.ts";

/** The only argument of every workflow. It does not contain the intent: steps read the record. */
export interface OperationTask {
  /** Name of the operation. */
  readonly operation: string;
  /** The id of the control plane that has the record; absent in workflows of old. */
  readonly installation?: string;
  readonly carried: Carried;
}

/** What a new run of the workflow need not repeat. */
export interface Carried {
  /** By step. */
  readonly runs: Readonly<Record<string, StepOutcome>>;
  /** By step. */
  readonly undos: Readonly<Record<string, UndoOutcome>>;
  /** The step that has begun and has not ended. */
  readonly open: string | null;
  /** Ends of steps that are not journaled yet. */
  readonly ends: readonly StepEnd[];
  readonly cancelled: boolean;
}

/** The argument of a step's activity. */
export interface StepTask {
  readonly operation: string;
  readonly installation?: string;
  /** Written to the journal together with the start of this step. */
  readonly ends: readonly StepEnd[];
}

/** The result of a step's activity; failures are thrown. */
export interface StepResult {
  readonly status: "succeeded" | "cancelled" | "skipped";
  /** Ends that are still to be written. */
  readonly ends: readonly StepEnd[];
  /**
   * Whether the record is marked as cancelled: its mark may arrive before Temporal's cancellation.
   */
  readonly marked: boolean;
}

/** The argument of the activity that ends an operation. */
export interface EndTask {
  readonly operation: string;
  readonly installation?: string;
  readonly outcome: Outcome;
  readonly ends: readonly StepEnd[];
}

/**
 * The message of a workflow that fails, where Temporal must not see the operation's own: it keeps
 * the failures of workflows unencrypted. Null, or nothing in old histories, for the own message.
 */
export type EndResult = string | null;

/** The answer to the query `progress`. */
export interface Progress {
  /** `create_namespace` or `create_namespace.undo`; null between steps. */
  readonly running: string | null;
  readonly done: readonly string[];
  readonly undone: readonly string[];
  readonly cancelled: boolean;
}

/** The activity type of a step's undo; the activity type of the step is the step's name. */
export const undoActivity = (step: string): string => `${step}.undo`;

/** The activity that releases the resource and ends the operation; a local activity. */
export const END_ACTIVITY = "end_operation";

/** The type of the failure that ends a workflow if its operation has already ended without it. */
export const OPERATION_ENDED = "OPERATION_ENDED";

/** The query for {@linkcode Progress}. */
export const PROGRESS_QUERY = "progress";

/** The periodic passes: workflow types, and activities of the same names. */
export const PASSES = ["drift_pass", "expiry_pass", "janitor_pass", "retention_pass"] as const;

/** The type of the failure of a periodic pass. */
export const PASS_FAILED = "PASS_FAILED";
