import type { Event, Instant, NewEvent } from "@mpc/domain";
import { eventsCompacted, throwIfAborted } from "../shared/errors.ts";
import { eachEvent, LiveTail } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";

/** The log as an array. */
export class MemoryEventLog implements EventLog {
  readonly #assertOpen: () => void;
  readonly #step: number;
  readonly #tail = new LiveTail({ read: (after, limit) => this.read(after, limit) });
  #events: Event[] = [];
  /** The sequence of the newest event that was removed. */
  #compacted = 0;

  /** @param step the distance from one sequence to the next */
  constructor(assertOpen: () => void, step: number) {
    this.#assertOpen = assertOpen;
    this.#step = step;
  }

  async append(events: readonly NewEvent[], options: ReadOptions = {}): Promise<void> {
    await this.#begin(options);
    this.push(events);
  }

  async head(options: ReadOptions = {}): Promise<number> {
    await this.#begin(options);
    return this.#head();
  }

  async read(
    after: number,
    limit: number,
    options: ReadOptions = {},
  ): Promise<readonly Event[]> {
    await this.#begin(options);
    if (after < this.#compacted) throw eventsCompacted(after, this.#compacted);
    const start = this.#firstAfter(after);
    return structuredClone(this.#events.slice(start, start + limit));
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return eachEvent(this.#tail.follow(after, signal), signal);
  }

  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    return this.#tail.follow(after, signal);
  }

  async compactBefore(time: Instant, options: ReadOptions = {}): Promise<number> {
    await this.#begin(options);
    const kept = this.#events.findIndex((event) => event.time >= time);
    const removed = kept < 0 ? this.#events.length : kept;
    this.#compacted = this.#events[removed - 1]?.sequence ?? this.#compacted;
    this.#events = this.#events.slice(removed);
    this.#tail.compact(this.#compacted);
    return removed;
  }

  async load(events: readonly Event[], compacted: number): Promise<void> {
    await this.#begin({});
    const before = this.#head();
    if (this.#events.length === 0) this.#compacted = Math.max(this.#compacted, compacted);
    const loaded = structuredClone([...events]);
    this.#events.push(...loaded);
    this.#tail.append(loaded, before);
  }

  /** Appends as part of a write. */
  push(events: readonly NewEvent[]): void {
    const before = this.#head();
    const numbered = structuredClone(events).map((event, index) => ({
      ...event,
      sequence: before + (index + 1) * this.#step,
    }));
    this.#events.push(...numbered);
    this.#tail.append(numbered, before);
  }

  close(): void {
    this.#tail.close();
  }

  /** By binary search: the index of the first event after a sequence. */
  #firstAfter(after: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.sequence > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #head(): number {
    return this.#events.at(-1)?.sequence ?? this.#compacted;
  }

  async #begin({ signal }: ReadOptions): Promise<void> {
    this.#assertOpen();
    throwIfAborted(signal);
    await Promise.resolve();
  }
}
