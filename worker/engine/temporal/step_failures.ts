import { type ErrorRecord, recordError } from "@mpc/domain";
import { ApplicationFailure } from "@temporalio/common";
import { OPERATION_ENDED } from "./workflow_messages.ts";

/** A worker that stops hands its tries back at once. */
const AT_ONCE_MS = 1;

/** For good: the workflow finds the record in the details. */
export function stepFailed(error: ErrorRecord): ApplicationFailure {
  const { message, code: type } = error;
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [error] });
}

/**
 * Temporal tries again after the pause. Whether is said by the failure, not by a list of codes:
 * the same code can be retryable or not.
 */
export function stepRetries(error: ErrorRecord, pauseMs: number): ApplicationFailure {
  const { message, code: type } = error;
  // A delay of nothing would mean the policy's own.
  return ApplicationFailure.create({
    message,
    type,
    nextRetryDelay: Math.max(AT_ONCE_MS, pauseMs),
  });
}

/** Another worker goes on with it. */
export function workerStopped(): ApplicationFailure {
  return ApplicationFailure.create({
    message: "The worker stops; another one goes on",
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

/** There is nothing left to be done: the record has ended, or is gone. */
export function operationEnded(): ApplicationFailure {
  return ApplicationFailure.nonRetryable("The operation has ended", OPERATION_ENDED);
}

/** What nobody planned for, for instance a store that cannot be reached: tried again by policy. */
export function failureOf(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const { message, code: type } = recordError(error);
  return ApplicationFailure.create({
    message,
    type,
    ...(error instanceof Error && { cause: error }),
  });
}
