import { type ErrorRecord, recordError } from "@mpc/domain";
import { ApplicationFailure } from "@temporalio/common";
import { OPERATION_ENDED, PASS_FAILED } from "./workflow_messages.ts";

/** A stopping worker returns its attempts to Temporal at once. */
const AT_ONCE_MS = 1;

/** A permanent failure. The workflow finds the error record in its details. */
export function stepFailed(error: ErrorRecord): ApplicationFailure {
  const { message, code: type } = error;
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [error] });
}

/**
 * Temporal retries after the pause. The failure itself says whether it is retryable, because the
 * same code may be retryable or not.
 */
export function stepRetries(error: ErrorRecord, pauseMs: number): ApplicationFailure {
  const { message, code: type } = error;
  // A delay of zero would select the delay of the policy.
  return ApplicationFailure.create({
    message,
    type,
    nextRetryDelay: Math.max(AT_ONCE_MS, pauseMs),
  });
}

/** Another worker continues the step. */
export function workerStopped(): ApplicationFailure {
  return ApplicationFailure.create({
    message: "The worker stops; another one continues",
    type: "WORKER_STOPPED",
    nextRetryDelay: AT_ONCE_MS,
  });
}

/** Another control plane has the record; Temporal tries again until one of its workers takes it. */
export function foreignOperation(
  operation: string,
  installation: string | undefined,
): ApplicationFailure {
  return ApplicationFailure.create({
    message: `Cannot go on with '${operation}': its record is in the store of ` +
      `${installation ? `installation '${installation}'` : "another control plane"}`,
    type: "FOREIGN_OPERATION",
  });
}

/** There is nothing left to do: the operation has ended, or its record is gone. */
export function operationEnded(): ApplicationFailure {
  return ApplicationFailure.nonRetryable("The operation has ended", OPERATION_ENDED);
}

/** A periodic pass failed; the schedule starts the next one. */
export function passFailed(error: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: recordError(error).message,
    type: PASS_FAILED,
    ...(error instanceof Error && { cause: error }),
  });
}

/** An unexpected error, for instance an unreachable store. Temporal retries it by the policy. */
export function failureOf(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const { message, code: type } = recordError(error);
  return ApplicationFailure.create({
    message,
    type,
    ...(error instanceof Error && { cause: error }),
  });
}
