/** Time in which no process worked on an operation. It uses up no budget. */
import type { Instant, Operation, StepAttempt, StepRecord } from "@mpc/domain";

/**
 * How long no process has worked on an operation when the next attempt of one of its steps begins.
 */
export function idleBefore(operation: Operation, step: StepRecord, now: Instant): number {
  if (operation.startTime === null) return now - operation.createTime;
  const last = step.attempts.at(-1);
  // Between two steps, or a step and its undo: the last update was the end of the previous one.
  if (!last) return Math.max(0, now - operation.updateTime);
  // It is not known when a process was killed; this is its last update.
  if (last.endTime === null) return Math.max(0, now - operation.updateTime);
  return Math.max(0, now - (last.nextRetryTime ?? operation.updateTime));
}

/** How long no process worked between these attempts of one step, or of its undo. */
export function idleBetween(attempts: readonly StepAttempt[]): number {
  return attempts.reduce((sum, attempt, index) => {
    const before = attempts[index - 1];
    // Attempts between these two are no longer kept.
    if (before?.endTime == null || before.number + 1 !== attempt.number) return sum;
    return sum + Math.max(0, attempt.startTime - (before.nextRetryTime ?? before.endTime));
  }, 0);
}
