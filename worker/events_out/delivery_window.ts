import type { Event } from "@mpc/domain";

/**
 * The events that were read from the log and are not done yet, and the position that follows from
 * them: everything up to it is done.
 */
export class DeliveryWindow {
  /** By sequence, in order: the position before the event, and when it happened. */
  readonly #pending = new Map<number, { readonly before: number; readonly time: number }>();
  #read: number;

  constructor(position: number) {
    this.#read = position;
  }

  /** Adds the next event of the log. */
  add({ sequence, time }: Pick<Event, "sequence" | "time">): void {
    this.#pending.set(sequence, { before: this.#read, time });
    this.#read = sequence;
  }

  /** Marks an event as delivered, dead or left out. */
  done(sequence: number): void {
    this.#pending.delete(sequence);
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Every event up to this sequence is done. */
  get position(): number {
    return this.#oldest?.before ?? this.#read;
  }

  /** When the oldest event happened that is not done; undefined if there is none. */
  get oldestTime(): number | undefined {
    return this.#oldest?.time;
  }

  get #oldest() {
    return this.#pending.values().next().value;
  }
}
