/** How often and how long something is tried. All times in milliseconds. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly maxAttempts: number;
  /** Upper bound of the first pause. */
  readonly initialBackoffMs: number;
  /** Upper bound of any pause. */
  readonly maxBackoffMs: number;
  /** No try begins later than this after the first one began: the step's budget. */
  readonly budgetMs: number;
}

/**
 * The pause before the next try: exponential with full jitter and a cap ("Exponential Backoff
 * And Jitter", AWS Architecture Blog).
 * @param attempt the try that has just failed, from 1
 * @param random in [0, 1)
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const ceiling = Math.min(policy.maxBackoffMs, policy.initialBackoffMs * 2 ** (attempt - 1));
  return Math.floor(random * (ceiling + 1));
}
