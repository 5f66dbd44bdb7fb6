import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { PeriodicTask } from "../engine/hosted_engine.ts";

const log = getLogger(["mpc", "housekeeping"]);

/**
 * Passes again and again, first after one interval; what fails in a pass is the next one's.
 * @param by.signal ends it
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
