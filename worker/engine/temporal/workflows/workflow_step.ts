import type { OrchestratedStep } from "@mpc/services/orchestrate";

/** What a workflow knows of a step: data alone, so that no step's code gets into the sandbox. */
export interface WorkflowStep extends OrchestratedStep {
  /** Longest that one try may take. */
  readonly startToCloseMs: number;
  /** A try that is not heard of for so long has lost its worker. */
  readonly heartbeatMs: number;
  /** The pauses of tries that end without a word of when to try again. */
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}
