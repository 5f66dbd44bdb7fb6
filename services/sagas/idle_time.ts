/** Time in which nobody worked on an operation, because no process ran: it uses up no budget. */
import type { Instant, Operation, StepAttempt, StepRecord } from "@mpc/domain";

/** How long nobody has worked on an operation when the next try of one of its steps begins. */
export function idleBefore(operation: Operation, step: StepRecord, now: Instant): number {
  if (operation.startTime === null) return now - operation.createTime;
  const last = step.attempts.at(-1);
  // Between two steps, or a step and its undo: what went before was the last that was heard of it.
  if (!last) return Math.max(0, now - operation.updateTime);
  // Nobody knows when a process was killed; this is when it was last heard of.
  if (last.endTime === null) return Math.max(0, now - operation.updateTime);
  return Math.max(0, now - (last.nextRetryTime ?? operation.updateTime));
}

/** How long nobody worked between these tries of one step, or of its undo. */
export function idleBetween(attempts: readonly StepAttempt[]): number {
  return attempts.reduce((sum, attempt, index) => {
    const before = attempts[index - 1];
    // Between those there were others, which are no longer kept.
    if (before?.endTime == null || before.number + 1 !== attempt.number) return sum;
    return sum + Math.max(0, attempt.startTime - (before.nextRetryTime ?? before.endTime));
  }, 0);
}
