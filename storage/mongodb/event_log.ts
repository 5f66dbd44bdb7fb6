import { type Collection, ObjectId } from "mongodb";
import type { Event, Instant, NewEvent } from "@mpc/domain";
import { eventsCompacted } from "../shared/errors.ts";
import { eachEvent, LiveTail } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";
import { BlockArrivals } from "./block_arrivals.ts";
import { type Block, BLOCK_KEPT_MS, BlockChain, eventsOf, type LogState } from "./block_chain.ts";
import type { Calls, ReadLimits } from "./calls.ts";
import { encodeEvent } from "./codec.ts";
import { assertFits, isDuplicate } from "./errors.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { Outbox } from "./outbox.ts";

/** The interval of looking for blocks of other handles while there are followers. */
const LOOK_EVERY_MS = 10;

/** The same while a change stream reports new blocks. */
const LOOK_ANYWAY_MS = 1_000;

/** The interval of looking at the outboxes too: they have what a crash kept from the log. */
const FLUSH_EVERY_MS = 2_000;

/** How many blocks are read at once. */
const BLOCKS_AT_ONCE = 64;

/** The log as blocks of events. */
export class MongoEventLog implements EventLog {
  readonly chain: BlockChain;
  readonly #blocks: Collection<Block>;
  readonly #state: Collection<LogState>;
  readonly #calls: Calls;
  readonly #parts: () => { readonly commit: GroupCommit; readonly outbox: Outbox };
  readonly #tail: LiveTail;
  readonly #changeStreams: boolean;

  /** @param options.changeStreams whether the server has change streams */
  constructor(options: {
    readonly changeStreams: boolean;
    readonly blocks: Collection<Block>;
    readonly state: Collection<LogState>;
    readonly calls: Calls;
    readonly parts: () => { readonly commit: GroupCommit; readonly outbox: Outbox };
  }) {
    const { blocks, state } = options;
    this.#blocks = blocks;
    this.#state = state;
    this.#calls = options.calls;
    this.#parts = options.parts;
    this.#changeStreams = options.changeStreams;
    this.#tail = new LiveTail({
      read: (after, limit) => this.read(after, limit),
      watch: () => this.#watch(),
    });
    this.chain = new BlockChain({
      blocks,
      state,
      advanced: (events, before) =>
        events ? this.#tail.append(events, before) : this.#tail.forget(),
    });
  }

  /** Creates what the log needs besides its blocks, and finds its end. */
  async open(): Promise<void> {
    try {
      await this.#state.insertOne({ _id: "log", compacted: 0 });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    await this.chain.refresh();
  }

  async append(events: readonly NewEvent[], { signal }: ReadOptions = {}): Promise<void> {
    if (events.length === 0) return await this.#calls.write("the log", signal, NOTHING);
    const entry = { id: new ObjectId(), events: events.map(encodeEvent) };
    assertFits("the log", entry);
    await this.#calls.write("the log", signal, () => this.#parts().commit.append([entry]));
  }

  /** Also appends what is in any outbox, so that the head covers every version that was read. */
  async head({ signal }: ReadOptions = {}): Promise<number> {
    return await this.#calls.read(signal, async () => {
      await this.#parts().outbox.flushAll();
      await this.chain.refresh();
      return this.chain.head;
    });
  }

  async read(
    after: number,
    limit: number,
    { signal }: ReadOptions = {},
  ): Promise<readonly Event[]> {
    return await this.#calls.read(signal, async (limits) => {
      for (;;) {
        const [first, rest, compacted] = await Promise.all([
          this.#blockBefore(after + 1, limits),
          this.#eventsFrom(after + 2, limit, limits),
          this.chain.compacted(),
        ]);
        if (after < compacted) throw eventsCompacted(after, compacted);
        const events = [...first ? eventsOf(first) : [], ...rest]
          .filter(({ sequence }) => sequence > after).slice(0, limit);
        // A block that was appended between the two reads is missing between their results.
        if (events.length === 0 || events[0]!.sequence === after + 1) return events;
      }
    });
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return eachEvent(this.#tail.follow(after, signal), signal);
  }

  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    return this.#tail.follow(after, signal);
  }

  async compactBefore(time: Instant, { signal }: ReadOptions = {}): Promise<number> {
    return await this.#calls.write(
      "the log",
      signal,
      () => this.#calls.retried(() => this.#compact(time), signal),
    );
  }

  close(): void {
    this.#tail.close();
  }

  /**
   * Removes events from the view of readers first, then their blocks. A block stays as long as an
   * outbox has its events: it is the proof that they are in the log.
   */
  async #compact(time: Instant): Promise<number> {
    const { outbox } = this.#parts();
    await outbox.flushAll();
    const cleared = await outbox.clear();
    for (;;) {
      const before = await this.chain.compacted();
      const { last, block } = await this.#lastBefore(time, before);
      if (last > before) {
        const { modifiedCount } = await this.#state.updateOne(
          { _id: "log", compacted: before },
          { $set: { compacted: last } },
        );
        if (modifiedCount === 0) continue;
      }
      this.#tail.compact(last);
      // The last block stays: it says where the log ends.
      if (cleared) {
        await this.#blocks.deleteMany({
          _id: { $lt: block },
          at: { $lt: new Date(Date.now() - BLOCK_KEPT_MS) },
        });
      }
      return last - before;
    }
  }

  /**
   * The last event before the first one whose time is `time` or later, and the block that has the
   * event after it; the last block if there is none.
   */
  async #lastBefore(
    time: Instant,
    compacted: number,
  ): Promise<{ readonly last: number; readonly block: number }> {
    const first = await this.#blockBefore(compacted + 1);
    let [last, block] = [compacted, first?._id ?? 0];
    const blocks = this.#blocks.find({ _id: { $gte: block } }).sort({ _id: 1 })
      .batchSize(BLOCKS_AT_ONCE);
    for await (const each of blocks) {
      block = each._id;
      for (const event of eventsOf(each)) {
        if (event.sequence <= compacted) continue;
        if (event.time >= time) return { last, block };
        last = event.sequence;
      }
    }
    return { last, block };
  }

  /** The block that has an event, or would have if it exists. */
  async #blockBefore(sequence: number, limits: ReadLimits = {}): Promise<Block | undefined> {
    const [block] = await this.#blocks.find({ _id: { $lte: sequence } }, limits).sort({ _id: -1 })
      .limit(1)
      .toArray();
    return block;
  }

  /** Events of blocks that begin at a sequence or later. */
  async #eventsFrom(
    sequence: number,
    limit: number,
    limits: ReadLimits,
  ): Promise<readonly Event[]> {
    const events: Event[] = [];
    const blocks = this.#blocks.find({ _id: { $gte: sequence } }, limits).sort({ _id: 1 }).limit(
      limit,
    )
      .batchSize(BLOCKS_AT_ONCE);
    for await (const block of blocks) {
      events.push(...eventsOf(block));
      if (events.length >= limit) break;
    }
    return events;
  }

  /**
   * Looks for blocks of other handles.
   * @returns a function that stops it
   */
  #watch(): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    let again = false;
    let flushedAt = -Infinity;
    this.chain.wantsEvents = true;
    const look = async () => {
      try {
        if (performance.now() - flushedAt >= FLUSH_EVERY_MS) {
          flushedAt = performance.now();
          await this.#parts().outbox.flushAll();
        }
        await this.#calls.retried(() => this.chain.refresh(), signal);
      } catch {
        // Followers then read the log themselves, and each fails with the reason.
        this.#tail.forget();
      }
      running = false;
      if (signal.aborted) return;
      const pause = arrivals?.isOpen ? LOOK_ANYWAY_MS : LOOK_EVERY_MS;
      timer = setTimeout(start, again ? 0 : pause);
      again = false;
    };
    const start = () => {
      clearTimeout(timer);
      if (signal.aborted) return;
      again = running;
      if (running) return;
      running = true;
      this.#calls.background(look);
    };
    const arrivals = this.#changeStreams ? new BlockArrivals(this.#blocks, start) : undefined;
    start();
    if (arrivals) this.#calls.background(() => arrivals.follow(signal));
    return () => {
      stop.abort();
      clearTimeout(timer);
      this.chain.wantsEvents = false;
    };
  }
}

const NOTHING = () => Promise.resolve();
