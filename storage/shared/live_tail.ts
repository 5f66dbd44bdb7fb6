import type { Event } from "@mpc/domain";
import { storeClosed } from "./errors.ts";

/** How many of the newest events are kept at hand for those who follow the log closely. */
export const RECENT_EVENTS = 2_048;

/** How many events a follower that lags behind reads at once. */
const BATCH = 256;

export interface LiveTailOptions {
  readonly read: (after: number, limit: number) => Promise<readonly Event[]>;
  /**
   * Begins to look for what other processes append, and to tell of it by `append`; returns what
   * ends that. Runs only while somebody follows.
   */
  readonly watch?: () => () => void;
}

/**
 * Followers of a log in this process. New events are told, not polled for; a follower has no queue
 * of its own, so a slow one costs nothing but its own reads.
 */
export class LiveTail {
  readonly #options: LiveTailOptions;
  #followers = 0;
  #unwatch: (() => void) | undefined;
  #recent: Event[] = [];
  #closed = false;
  #told = Promise.withResolvers<void>();

  constructor(options: LiveTailOptions) {
    this.#options = options;
  }

  /** Tells followers of events that are durable now; what is missing before them they read. */
  append(events: readonly Event[]): void {
    const [first] = events;
    if (!first) return;
    if (this.#recent.at(-1)?.sequence !== first.sequence - 1) this.#recent = [];
    this.#recent.push(...events.map(deepFreeze));
    if (this.#recent.length > 2 * RECENT_EVENTS) this.#recent = this.#recent.slice(-RECENT_EVENTS);
    this.#wake();
  }

  /** Forgets what is at hand: all followers read for themselves next. */
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

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Event> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#followers++;
    try {
      let cursor = after;
      while (!signal.aborted) {
        if (this.#closed) throw storeClosed();
        this.#unwatch ??= this.#options.watch?.();
        const told = this.#told.promise;
        const events = this.#atHand(cursor) ?? await this.#options.read(cursor, BATCH);
        if (events.length === 0) {
          await Promise.race([told, aborted.promise]);
          continue;
        }
        for (const event of events) {
          if (signal.aborted) return;
          cursor = event.sequence;
          yield event;
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (--this.#followers === 0) this.#stopWatching();
    }
  }

  /** The events behind `after`, where all of them are at hand. */
  #atHand(after: number): readonly Event[] | undefined {
    const first = this.#recent[0];
    if (!first || first.sequence > after + 1) return undefined;
    return this.#recent.slice(after + 1 - first.sequence, after + 1 - first.sequence + BATCH);
  }

  #stopWatching(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #wake(): void {
    const told = this.#told;
    this.#told = Promise.withResolvers<void>();
    told.resolve();
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
