import { getLogger } from "@logtape/logtape";
import { type Event, isMpcError, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { Store } from "@mpc/storage";

const log = getLogger(["mpc", "worker"]);

/** The pause after a failure, before following the log again. */
const PAUSE_MS = 1_000;

/**
 * Passes every event after `after` to `take`, in order, until aborted. After a failure of the store
 * or of `take` it resumes where it was, or at the oldest event that is kept if that is later.
 */
export async function followLog(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  after: number,
  signal: AbortSignal,
  take: (event: Event) => Promise<void> | void,
): Promise<void> {
  let cursor = after;
  while (!signal.aborted) {
    try {
      for await (const event of store.events.tail(cursor, signal)) {
        await take(event);
        cursor = event.sequence;
      }
    } catch (error) {
      if (signal.aborted) return;
      log.error("Cannot follow the log: {error}", { error: recordError(error) });
      if (isMpcError(error, "OUT_OF_RANGE")) cursor = Number(error.metadata["compacted"]);
      await sleepUnlessAborted(clock, PAUSE_MS, signal);
    }
  }
}
