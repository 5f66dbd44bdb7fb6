import type { Instant } from "@mpc/domain";
import type { Clock } from "@mpc/services";

/** About 12 days, within the range of a timer. */
const LONGEST_SLEEP_MS = 2 ** 30;

/**
 * Sleeps until a time, or until `changed` is aborted.
 * @param time undefined to wait only for a change
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when `signal` is aborted
 */
export async function sleepUntil(
  clock: Clock,
  time: Instant | undefined,
  signal: AbortSignal,
  changed: AbortSignal,
): Promise<void> {
  const ms = time === undefined ? LONGEST_SLEEP_MS : Math.max(1, time - clock.now());
  try {
    await clock.sleep(ms, AbortSignal.any([signal, changed]));
  } catch (error) {
    if (signal.aborted || !changed.aborted) throw error;
  }
}
