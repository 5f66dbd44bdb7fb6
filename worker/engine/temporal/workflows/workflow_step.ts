import type { OrchestratedStep } from "@mpc/services/orchestrate";

/**
 * What a workflow knows about a step. Only data, so that no step's code is loaded in the sandbox.
 */
export interface WorkflowStep extends OrchestratedStep {
  /** The longest time of one attempt. */
  readonly startToCloseMs: number;
  /** An attempt without a heartbeat for this long has lost its worker. */
  readonly heartbeatMs: number;
  /** The first pause after an attempt that ends without saying when to retry. */
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}
