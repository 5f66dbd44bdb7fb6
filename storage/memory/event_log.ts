import type { Event, NewEvent } from "@mpc/domain";
import { eventsCompacted, throwIfAborted } from "../shared/errors.ts";
import { LiveTail } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";

/** The log as an array. */
export class MemoryEventLog implements EventLog {
  readonly #assertOpen: () => void;
  readonly #tail = new LiveTail({ read: (after, limit) => this.read(after, limit) });
  #events: Event[] = [];
  #compacted = 0;

  constructor(assertOpen: () => void) {
    this.#assertOpen = assertOpen;
  }

  async append(events: readonly NewEvent[], options: ReadOptions = {}): Promise<void> {
    await this.#begin(options);
    this.push(events);
  }

  async head(options: ReadOptions = {}): Promise<number> {
    await this.#begin(options);
    return this.#compacted + this.#events.length;
  }

  async read(
    after: number,
    limit: number,
    options: ReadOptions = {},
  ): Promise<readonly Event[]> {
    await this.#begin(options);
    if (after < this.#compacted) throw eventsCompacted(after, this.#compacted + 1);
    return structuredClone(
      this.#events.slice(after - this.#compacted, after - this.#compacted + limit),
    );
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return this.#tail.follow(after, signal);
  }

  async compact(sequence: number, options: ReadOptions = {}): Promise<void> {
    await this.#begin(options);
    const head = this.#compacted + this.#events.length;
    const upTo = Math.min(sequence - 1, head);
    if (upTo <= this.#compacted) return;
    this.#events = this.#events.slice(upTo - this.#compacted);
    this.#compacted = upTo;
  }

  /** Appends as part of a write. */
  push(events: readonly NewEvent[]): void {
    const first = this.#compacted + this.#events.length + 1;
    const numbered = structuredClone(events).map((event, index) => ({
      ...event,
      sequence: first + index,
    }));
    this.#events.push(...numbered);
    this.#tail.append(numbered);
  }

  close(): void {
    this.#tail.close();
  }

  async #begin({ signal }: ReadOptions): Promise<void> {
    this.#assertOpen();
    throwIfAborted(signal);
    await Promise.resolve();
  }
}
