/** How often and for how long an action is attempted. All times are in milliseconds. */
export interface RetryPolicy {
  /** The maximum number of attempts, including the first. */
  readonly maxAttempts: number;
  /** Upper bound of the first pause. */
  readonly initialBackoffMs: number;
  /** Upper bound of any pause. */
  readonly maxBackoffMs: number;
  /** The step's budget: no attempt begins later than this after the start of the first one. */
  readonly budgetMs: number;
}

/**
 * The pause before the next attempt: exponential with full jitter and a cap ("Exponential Backoff
 * And Jitter", AWS Architecture Blog).
 * @param attempt the number of the attempt that has just failed, from 1
 * @param random in [0, 1)
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const ceiling = Math.min(policy.maxBackoffMs, policy.initialBackoffMs * 2 ** (attempt - 1));
  return Math.floor(random * (ceiling + 1));
}
