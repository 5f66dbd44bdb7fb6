import type { RetryPolicy } from "@mpc/domain";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The retry policy of steps that make calls to a cluster. */
export const CLUSTER_CALL: { retry: RetryPolicy; attemptTimeoutMs: number } = {
  retry: {
    maxAttempts: 8,
    initialBackoffMs: 500,
    maxBackoffMs: 15 * SECOND,
    budgetMs: 3 * MINUTE,
  },
  attemptTimeoutMs: 30 * SECOND,
};

/** The retry policy of steps that only change our own records. */
export const RECORD_CALL: { retry: RetryPolicy; attemptTimeoutMs: number } = {
  retry: {
    maxAttempts: 8,
    initialBackoffMs: 100,
    maxBackoffMs: 5 * SECOND,
    budgetMs: MINUTE,
  },
  attemptTimeoutMs: 15 * SECOND,
};

/** The retry policy of steps that wait for a cluster: one long attempt, repeated if it fails. */
export function clusterWait(
  budgetMs: number,
): { retry: RetryPolicy; attemptTimeoutMs: number; heartbeatMs: number } {
  return {
    retry: { maxAttempts: 100, initialBackoffMs: 500, maxBackoffMs: 10 * SECOND, budgetMs },
    attemptTimeoutMs: budgetMs,
    heartbeatMs: 10 * SECOND,
  };
}
