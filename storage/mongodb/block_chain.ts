import type { Collection, ObjectId } from "mongodb";
import type { Event, JsonValue } from "@mpc/domain";
import { decodeEvent, type OutboxEntry } from "./codec.ts";
import { isDuplicate } from "./errors.ts";
import type { Log } from "./group_commit.ts";

/** Some events in a row. The next block begins where this one ends, so the log has no gaps. */
export interface Block {
  /** The sequence of its first event. */
  readonly _id: number;
  readonly count: number;
  /** The writes whose events it has; no other block has one of them. */
  readonly ids: readonly ObjectId[];
  readonly events: readonly JsonValue[];
  /** When it was written, by the clock of its writer. */
  readonly at: Date;
}

/** What has been removed from the log. One document. */
export interface LogState {
  readonly _id: "log";
  /** The sequence of the newest event that was removed. */
  readonly compacted: number;
}

/** How many blocks are read at once. */
const BLOCKS_AT_ONCE = 64;

/**
 * How long the known end of the log is good for an append. A writer that was paused for longer may
 * find the place free only because the blocks there have been removed.
 */
const END_IS_GOOD_FOR_MS = 60_000;

/**
 * How long a block is kept after it was written, although its events are compacted. It leaves 59
 * minutes for the difference between the clocks of two machines.
 */
export const BLOCK_KEPT_MS = END_IS_GOOD_FOR_MS + 59 * 60_000;

/**
 * The end of the log. A block is appended by inserting it with the sequence after the last block as
 * its id: if somebody else has appended there, the id is taken. So the log needs no counter and no
 * leader.
 */
export class BlockChain implements Log {
  readonly #blocks: Collection<Block>;
  readonly #state: Collection<LogState>;
  readonly #advanced: (events: readonly Event[] | undefined, before: number) => void;
  /** The sequence after the last block that this handle knows. */
  #next = 1;
  /** When that was the end of the log. */
  #seen: Moment | undefined;
  /** Whether the events of new blocks are wanted, or only their number. */
  wantsEvents = false;

  /**
   * @param options.advanced called with the next events of the log and the sequence before them;
   *   without events if they were not read
   */
  constructor(options: {
    readonly blocks: Collection<Block>;
    readonly state: Collection<LogState>;
    readonly advanced: (events: readonly Event[] | undefined, before: number) => void;
  }) {
    this.#blocks = options.blocks;
    this.#state = options.state;
    this.#advanced = options.advanced;
  }

  /** The sequence of the last event that this handle knows. */
  get head(): number {
    return this.#next - 1;
  }

  /** Whether the events of a write are in the log. */
  async has(id: ObjectId): Promise<boolean> {
    return await this.#blocks.findOne({ ids: id }, { projection: { _id: 1 } }) !== null;
  }

  /** Reads what others have appended. */
  async refresh(): Promise<void> {
    const seen = now();
    if (isGood(this.#seen)) await this.#walk();
    else await this.#jump();
    this.#seen = seen;
  }

  async appendBlock(entries: readonly OutboxEntry[]): Promise<ReadonlySet<string> | undefined> {
    if (!isGood(this.#seen)) await this.refresh();
    const start = this.#next;
    const seen = this.#seen;
    const events = entries.flatMap((entry) => entry.events);
    const ids = entries.map(({ id }) => id);
    const block: Block = { _id: start, count: events.length, ids, events, at: new Date() };
    try {
      await this.#blocks.insertOne(block);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      const present = await this.#present(ids);
      await this.refresh();
      return present;
    }
    // This handle may have looked again meanwhile, which says nothing about the end used here.
    if (!isGood(seen) && start <= (await this.compacted())) {
      await this.#blocks.deleteOne({ _id: start, ids: ids[0]! });
      await this.refresh();
      return new Set();
    }
    this.#advance(block);
    return undefined;
  }

  /** The sequence of the newest event that was removed; 0 if none was. */
  async compacted(): Promise<number> {
    return (await this.#state.findOne({ _id: "log" }))?.compacted ?? 0;
  }

  /** Reads block after block, which usually is none. */
  async #walk(): Promise<void> {
    const projection = this.wantsEvents ? { count: 1, events: 1 } : { count: 1 };
    const first = await this.#blocks.findOne({ _id: this.#next }, { projection });
    if (!first) return;
    this.#advance(first);
    for (;;) {
      const blocks = await this.#blocks.find({ _id: { $gte: this.#next } }, { projection })
        .sort({ _id: 1 }).limit(BLOCKS_AT_ONCE).toArray();
      for (const block of blocks) this.#advance(block);
      if (blocks.length < BLOCKS_AT_ONCE) return;
    }
  }

  /** Finds the end without reading what is before it. */
  async #jump(): Promise<void> {
    const [last] = await this.#blocks.find({}, { projection: { count: 1 } })
      .sort({ _id: -1 }).limit(1).toArray();
    if (!last || last._id + last.count <= this.#next) return;
    const before = this.#next - 1;
    this.#next = last._id + last.count;
    this.#advanced(undefined, before);
  }

  /** Moves the end behind a block; does nothing if it was moved there before. */
  #advance(block: Pick<Block, "_id" | "count"> & { readonly events?: Block["events"] }): void {
    if (block._id !== this.#next) return;
    const before = this.#next - 1;
    this.#next += block.count;
    const { events } = block;
    this.#advanced(this.wantsEvents && events ? eventsOf({ ...block, events }) : undefined, before);
  }

  async #present(ids: readonly ObjectId[]): Promise<ReadonlySet<string>> {
    const blocks = await this.#blocks.find({ ids: { $in: [...ids] } }, { projection: { ids: 1 } })
      .toArray();
    return new Set(blocks.flatMap((block) => block.ids.map((id) => id.toHexString())));
  }
}

export const eventsOf = (
  { _id, events }: Pick<Block, "_id" | "events">,
): readonly Event[] =>
  events.map((event, index) => ({ ...decodeEvent(event), sequence: _id + index }));

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** Whether the end of the log that was seen then is good for an append now. */
function isGood(seen: Moment | undefined): boolean {
  if (!seen) return false;
  const { monotonic, wall } = now();
  // The monotonic clock stands still while the machine sleeps; the wall clock may step back.
  return Math.max(monotonic - seen.monotonic, wall - seen.wall) < END_IS_GOOD_FOR_MS;
}

const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });
