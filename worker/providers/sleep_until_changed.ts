import type { Instant } from "@mpc/domain";
import { type Clock, sleepUntil } from "@mpc/services";

/**
 * Sleeps as {@linkcode sleepUntil} does, or until `changed` is aborted.
 * @param time undefined to wait only for a change
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when `signal` is aborted
 */
export async function sleepUntilChanged(
  clock: Clock,
  time: Instant | undefined,
  signal: AbortSignal,
  changed: AbortSignal,
): Promise<void> {
  try {
    await sleepUntil(clock, time, AbortSignal.any([signal, changed]));
  } catch (error) {
    if (signal.aborted || !changed.aborted) throw error;
  }
}
