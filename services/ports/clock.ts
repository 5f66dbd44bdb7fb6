import type { Instant } from "@mpc/domain";

/**
 * Time as a port, so that tests own it. It is two clocks, and each has one job:
 *
 * - A moment, such as when an environment expires, is compared with `now()`. To wait for one, use
 *   {@linkcode sleepUntil}, which looks at the clock again while it waits.
 * - An interval, such as a timeout, a rate or a pause, is measured with `monotonic()` or `sleep()`.
 *   Two readings of `now()` do not measure one: the clock is set, and machines sleep.
 */
export interface Clock {
  /** The wall clock. It steps back and forward, and other machines' clocks differ from it. */
  now(): Instant;
  /**
   * Milliseconds since some moment of this process; never goes back. Only differences mean anything,
   * and only within one process. It stands still while the machine sleeps.
   */
  monotonic(): number;
  /**
   * Resolves after `ms` of the monotonic clock, at once where that is not positive.
   * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when the signal is aborted first
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
