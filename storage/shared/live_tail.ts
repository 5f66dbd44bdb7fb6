import { deepFreeze } from "./deep_freeze.ts";
import type { Event } from "@mpc/domain";
import { storeClosed } from "./errors.ts";

/** How many of the newest events are kept in memory for followers that keep up. */
export const RECENT_EVENTS = 2_048;

/** How many events a follower that lags behind reads at once. */
const BATCH = 256;

export interface LiveTailOptions {
  readonly read: (after: number, limit: number) => Promise<readonly Event[]>;
  /**
   * Starts to watch for events of other handles, which it passes to `append`; returns a function
   * that stops it. Runs only while there are followers.
   */
  readonly watch?: () => () => void;
}

/**
 * The followers of a log in this process. New events are pushed to followers, which do not poll. A
 * follower has no queue of its own, so a slow one costs only its own reads.
 */
export class LiveTail {
  readonly #options: LiveTailOptions;
  #followers = 0;
  #unwatch: (() => void) | undefined;
  /** The newest events: all events of the log after `#recentAfter` that are known so far. */
  #recent: Event[] = [];
  #recentAfter = 0;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: LiveTailOptions) {
    this.#options = options;
  }

  /**
   * Delivers events that are durable now. Followers that lack earlier events read those from the
   * log.
   * @param after a sequence such that the log has no event between it and the first of `events`
   */
  append(events: readonly Event[], after: number): void {
    if (events.length === 0) return;
    if (this.#recent.at(-1)?.sequence !== after) {
      this.#recent = [];
      this.#recentAfter = after;
    }
    this.#recent.push(...events.map(deepFreeze));
    if (this.#recent.length > 2 * RECENT_EVENTS) {
      this.#recentAfter = this.#recent.at(-RECENT_EVENTS - 1)!.sequence;
      this.#recent = this.#recent.slice(-RECENT_EVENTS);
    }
    this.#wake();
  }

  /** Drops recent events up to a sequence: they have been removed from the log. */
  compact(upTo: number): void {
    if (upTo <= this.#recentAfter) return;
    this.#recent = this.#recent.slice(this.#firstAfter(upTo));
    this.#recentAfter = upTo;
  }

  /** Drops all recent events, so that all followers read from the log next. */
  forget(): void {
    this.#recent = [];
    this.#wake();
  }

  /** Ends all followers. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#wake();
  }

  /** Yields every event after a sequence, as many at once as there are. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<readonly Event[]> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#followers++;
    try {
      let cursor = after;
      while (!signal.aborted) {
        if (this.#closed) throw storeClosed();
        this.#unwatch ??= this.#options.watch?.();
        const changed = this.#changed.promise;
        const events = this.#recentSince(cursor) ?? await this.#options.read(cursor, BATCH);
        if (events.length === 0) {
          await Promise.race([changed, aborted.promise]);
          continue;
        }
        if (signal.aborted) return;
        cursor = events.at(-1)!.sequence;
        yield events;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (--this.#followers === 0) this.#stopWatching();
    }
  }

  /** The next events after `after`; undefined where not all of them are in memory. */
  #recentSince(after: number): readonly Event[] | undefined {
    if (this.#recent.length === 0 || after < this.#recentAfter) return undefined;
    const start = this.#firstAfter(after);
    return this.#recent.slice(start, start + BATCH);
  }

  /** By binary search: the index of the first recent event after a sequence. */
  #firstAfter(after: number): number {
    let [low, high] = [0, this.#recent.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#recent[middle]!.sequence > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #stopWatching(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #wake(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }
}

/** The events of a follower one by one; none after the signal was aborted. */
export async function* eachEvent(
  batches: AsyncIterable<readonly Event[]>,
  signal: AbortSignal,
): AsyncGenerator<Event> {
  for await (const events of batches) {
    for (const event of events) {
      if (signal.aborted) return;
      yield event;
    }
  }
}
