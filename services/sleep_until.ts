import type { Instant } from "@mpc/domain";
import type { Clock } from "./ports/clock.ts";

/**
 * How often the wall clock is looked at while something waits for a moment. A timer alone would be
 * late by as much as the clock was set forward, or as long as the machine slept.
 */
export const LOOK_AGAIN_MS = 15_000;

/** The wall clock is slewed by less than this while it is not looked at. */
const SLEW_MS = 1_000;

/**
 * Sleeps until the wall clock shows a moment, at least for a millisecond; undefined is a moment that
 * never comes. Where the clock is set forward past the moment, or the machine sleeps through it, the
 * sleep ends within {@linkcode LOOK_AGAIN_MS}. It also ends so soon where the clock is set back,
 * because other moments may have been computed from it: callers look again at what they wait for.
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when the signal is aborted first
 */
export async function sleepUntil(
  clock: Clock,
  moment: Instant | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (moment === undefined) return await clock.sleep(Infinity, signal);
  for (;;) {
    const [began, beganAt] = [clock.monotonic(), clock.now()];
    await clock.sleep(Math.min(Math.max(1, moment - beganAt), LOOK_AGAIN_MS), signal);
    const now = clock.now();
    const setBackMs = clock.monotonic() - began - (now - beganAt);
    if (now >= moment || setBackMs > SLEW_MS) return;
  }
}
