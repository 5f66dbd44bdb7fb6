import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { PeriodicTask } from "../engine/hosted_engine.ts";

const log = getLogger(["mpc", "housekeeping"]);

/**
 * Runs a task at an interval, the first time after one interval; a failure is logged.
 * @param by.signal ends the repetition
 */
export async function repeatPass(
  { name, everyMs, run }: PeriodicTask,
  by: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = by;
  while (await sleepUnlessAborted(clock, everyMs, signal)) {
    try {
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
