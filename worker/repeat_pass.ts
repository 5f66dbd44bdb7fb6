import type { Logger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

export interface RepeatOptions {
  readonly clock: Clock;
  /** Between two passes. */
  readonly intervalMs: number;
  readonly pass: () => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Passes again and again, first after one interval; what fails in a pass is the next one's. */
export async function repeatPass(options: RepeatOptions): Promise<void> {
  const { clock, intervalMs, pass, signal, log } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal);
      await pass();
    } catch (error) {
      if (signal.aborted) return;
      log.error("A pass failed, the next is in {intervalMs} ms: {error}", {
        intervalMs,
        error: recordError(error),
      });
    }
  }
}
