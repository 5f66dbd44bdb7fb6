import { type Instant, isMpcError, isTerminal, type Operation } from "@mpc/domain";
import { type Clock, operationEvent, pagesOf, systemPrincipal } from "@mpc/services";
import { resourceOf } from "@mpc/services/sagas";
import type { Store, Stored } from "@mpc/storage";

export interface RetentionOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** How long history is kept. */
  readonly keepMs: number;
  /** Aborts a running pass. */
  readonly signal: AbortSignal;
}

const ACTOR = systemPrincipal("retention");

/** How many operations are read at once. */
const PAGE = 100;

/**
 * Deletes history that is older than it is kept: operations that ended before that, and events of
 * the log. The last operation of a resource stays with it, so that it can be explained and retried.
 *
 * Ages are differences of wall clocks, of the machine that wrote and of this one: history is kept for
 * a shorter time by as much as this clock is ahead, and a clock that is set far ahead deletes all of
 * it. What has not ended, and resources themselves, are never deleted here.
 */
export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Deletes what is too old now. */
  async pass(): Promise<void> {
    const { store, clock, keepMs, signal } = this.#options;
    const since = clock.now() - keepMs;
    await this.#forgetOperations(since);
    await store.events.compactBefore(since, { signal });
  }

  /** Reads the oldest first and stops early, because no operation ends before it is created. */
  async #forgetOperations(since: Instant): Promise<void> {
    const { store: { operations }, signal } = this.#options;
    const orderBy = [{ path: ["createTime"], descending: false }];
    for await (const page of pagesOf(operations, { orderBy, limit: PAGE, signal })) {
      for (const stored of page) await this.#forget(stored, since);
      if ((page.at(-1)?.value.createTime ?? since) >= since) return;
    }
  }

  async #forget(stored: Stored<Operation>, since: Instant): Promise<void> {
    const { store, clock, signal } = this.#options;
    const { name, state, endTime } = stored.value;
    if (!isTerminal(state) || endTime === null || endTime >= since) return;
    const resource = await resourceOf(store, stored.value, signal);
    if (resource?.value.lastOperation === name) return;
    const event = operationEvent(stored, {
      type: "DELETED",
      reason: "OperationForgotten",
      message: `It ended at ${new Date(endTime).toISOString()}, longer ago than history is kept`,
      actor: ACTOR,
      time: clock.now(),
    });
    try {
      await store.operations.delete(name, stored.version, { signal, events: [event] });
    } catch (error) {
      // Another worker has deleted it first.
      if (!isMpcError(error, "NOT_FOUND", "ABORTED")) throw error;
    }
  }
}
