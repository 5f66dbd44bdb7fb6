import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { PeriodicTask } from "../engine/hosted_engine.ts";

const log = getLogger(["mpc", "housekeeping"]);

/**
 * Repeats a pass at its interval, first after one interval. A failure is left to the next pass.
 * @param by.signal ends the repetition
 */
export async function repeatPass(
  { name, everyMs, run }: PeriodicTask,
  by: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = by;
  while (!signal.aborted) {
    try {
      await clock.sleep(everyMs, signal);
      await run();
    } catch (error) {
      if (signal.aborted) return;
      log.error("{name} failed, the next is in {everyMs} ms: {error}", {
        name,
        everyMs,
        error: recordError(error),
      });
    }
  }
}
