import { getLogger } from "@logtape/logtape";
import { type Event, isMpcError, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { Store } from "@mpc/storage";

const log = getLogger(["mpc", "worker"]);

/** The pause before the log is followed again after a failure. */
const PAUSE_MS = 1_000;

/**
 * Hands every event behind `after` to `take`, in order, until aborted; goes on where it was after a
 * failure of the store or of `take`, and at the log's head where events are no longer kept.
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
