import type { Clock } from "./ports/clock.ts";

/**
 * Sleeps, and ends early without an error when the signal is aborted.
 * @returns whether it slept the whole time
 */
export async function sleepUnlessAborted(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}
