import type { Instant } from "@mpc/domain";

/** Time as a port, so that tests can control it. */
export interface Clock {
  now(): Instant;
  /**
   * Resolves after `ms`; at once if `ms` is not positive.
   * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when the signal is aborted first
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
