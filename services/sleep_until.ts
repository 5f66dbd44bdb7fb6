import type { Instant } from "@mpc/domain";
import type { Clock } from "./ports/clock.ts";

/**
 * How often the wall clock is looked at while something waits for a moment. A timer alone would be
 * late by as much as the clock was set forward, or as long as the machine slept.
 */
export const LOOK_AGAIN_MS = 15_000;

/**
 * Sleeps until the wall clock shows a moment, at least for a millisecond. Where the clock is set
 * forward past the moment, or the machine sleeps through it, the sleep ends within
 * {@linkcode LOOK_AGAIN_MS}; where the clock is set back, it lasts that much longer.
 * @param moment `Infinity` to sleep until the signal is aborted
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when the signal is aborted first
 */
export async function sleepUntil(
  clock: Clock,
  moment: Instant,
  signal: AbortSignal,
): Promise<void> {
  do {
    const left = Math.max(1, moment - clock.now());
    await clock.sleep(Math.min(left, LOOK_AGAIN_MS), signal);
  } while (clock.now() < moment);
}
