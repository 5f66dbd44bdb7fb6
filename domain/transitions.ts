import type { EnvironmentState } from "./environment.ts";
import { MpcError } from "./errors.ts";
import type { OperationState } from "./operation.ts";
import type { WorkloadState } from "./workload.ts";

type Moves<State extends string> = Readonly<Record<State, readonly State[]>>;

/** Every legal transition. Staying in a state needs no entry; leaving the table means deletion. */
export const ENVIRONMENT_MOVES: Moves<EnvironmentState> = {
  CREATING: ["READY", "CREATE_FAILED", "DELETING"],
  READY: ["UPDATING", "DELETING"],
  UPDATING: ["READY", "UPDATE_FAILED", "DELETING"],
  DELETING: ["DELETE_FAILED"],
  CREATE_FAILED: ["CREATING", "DELETING"],
  UPDATE_FAILED: ["UPDATING", "DELETING"],
  DELETE_FAILED: ["DELETING"],
};

export const WORKLOAD_MOVES: Moves<WorkloadState> = {
  DEPLOYING: ["READY", "DEPLOY_FAILED", "DEGRADED", "DELETING"],
  READY: ["DEPLOYING", "DEGRADED", "DELETING"],
  DEPLOY_FAILED: ["DEPLOYING", "DELETING"],
  DEGRADED: ["READY", "DEPLOYING", "DELETING"],
  DELETING: ["DELETE_FAILED"],
  DELETE_FAILED: ["DELETING", "DEPLOYING"],
};

export const OPERATION_MOVES: Moves<OperationState> = {
  PENDING: ["RUNNING", "CANCELLING", "FAILED"],
  RUNNING: ["CANCELLING", "SUCCEEDED", "FAILED", "NEEDS_ATTENTION"],
  CANCELLING: ["CANCELLED", "SUCCEEDED", "FAILED", "NEEDS_ATTENTION"],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
  NEEDS_ATTENTION: [],
};

/**
 * Checks a transition against its table; staying is always legal.
 * @throws {MpcError} INTERNAL `ILLEGAL_MOVE`: a bug of ours, never a caller's mistake
 */
export function assertMove<State extends string>(
  moves: Moves<State>,
  name: string,
  from: State,
  to: State,
): void {
  if (from === to || moves[from].includes(to)) return;
  throw new MpcError("INTERNAL", {
    reason: "ILLEGAL_MOVE",
    message: `Cannot move '${name}' to ${to}: it is ${from}, from where only ${
      moves[from].join(", ") || "nothing"
    } may follow`,
  });
}
