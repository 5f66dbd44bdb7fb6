import { BSON } from "mongodb";
import type { Calls } from "./calls.ts";
import type { OutboxEntry } from "./codec.ts";

/** The log as the appender needs it. */
export interface Log {
  /**
   * Appends entries as one block at the end of the log.
   * @returns the ids of entries that are in the log already; if there are any, or if the end of the
   *   log has moved, nothing was appended: undefined if everything was
   */
  appendBlock(entries: readonly OutboxEntry[]): Promise<ReadonlySet<string> | undefined>;
}

interface Job {
  readonly entry: OutboxEntry;
  readonly key: string;
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/** The most bytes in one block, unless a single entry is larger. */
const MAX_BLOCK_BYTES = 4 * 1024 * 1024;

/** The most entries in one block. */
const MAX_ENTRIES = 256;

/**
 * How long a block waits for writes under way, in durations of the block before: the wait costs a
 * writer no more than another block would, and a lone writer nothing.
 */
const GATHER_BLOCKS = 2;

/** The longest such wait, whatever a block takes. */
const LONGEST_GATHER_MS = 100;

/** How many entries are remembered as appended. */
const REMEMBERED = 8_192;

/**
 * Appends the events of writes to the log: one block at a time, with everything that was requested
 * while the block before was under way, and with the entries of writes that are about to request it.
 * Entries are appended in the order in which they were requested, each of them once.
 */
export class GroupCommit {
  readonly #calls: Calls;
  readonly #log: Log;
  #queue: Job[] = [];
  readonly #waiting = new Map<string, Job>();
  /** Ids of entries that are in the log, the oldest first. */
  readonly #appended = new Set<string>();
  /** Writes whose entries will be requested soon. */
  readonly #expected = new Set<Promise<void>>();
  #blockMs = 0;
  #running = false;
  /** Blocks that this handle has appended. */
  blocks = 0;

  constructor(calls: Calls, log: Log) {
    this.#calls = calls;
    this.#log = log;
  }

  /** Resolves when the events of all entries are in the log, whoever appended them. */
  async append(entries: readonly OutboxEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.#add(entry)));
  }

  /**
   * Announces the entries of a write that is under way, so that they share a block with others.
   * @returns to be called when they were requested, or will not be
   */
  expect(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#expected.add(promise);
    return () => {
      this.#expected.delete(promise);
      resolve();
    };
  }

  #add(entry: OutboxEntry): Promise<void> | undefined {
    const key = entry.id.toHexString();
    if (entry.events.length === 0 || this.#appended.has(key)) return undefined;
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting.done.promise;
    const job = {
      entry,
      key,
      bytes: BSON.calculateObjectSize(entry),
      done: Promise.withResolvers<void>(),
    };
    this.#waiting.set(key, job);
    this.#queue.push(job);
    if (!this.#running) {
      this.#running = true;
      queueMicrotask(() => this.#drain());
    }
    return job.done.promise;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      const jobs = this.#nextBlock();
      const began = performance.now();
      try {
        await this.#calls.retried(() => this.#appendAll(jobs));
        this.#blockMs = performance.now() - began;
        for (const job of jobs) this.#end(job);
      } catch (error) {
        // A later entry of the same document must not overtake an earlier one.
        for (const job of [...jobs, ...this.#queue.splice(0)]) {
          this.#waiting.delete(job.key);
          job.done.reject(error);
        }
      }
    }
    this.#running = false;
  }

  /** Waits for the writes under way, which then share the next block. */
  async #gather(): Promise<void> {
    const expected = [...this.#expected];
    if (expected.length === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => {
        // One that takes long does not delay the next blocks too.
        for (const each of expected) this.#expected.delete(each);
        late.resolve();
      },
      Math.min(GATHER_BLOCKS * this.#blockMs, LONGEST_GATHER_MS),
    );
    await Promise.race([Promise.all(expected), late.promise]);
    clearTimeout(timer);
  }

  /** Appends the entries that are not in the log, until all of them are. */
  async #appendAll(jobs: readonly Job[]): Promise<void> {
    let missing = jobs;
    while (missing.length > 0) {
      const present = await this.#log.appendBlock(missing.map(({ entry }) => entry));
      if (!present) break;
      missing = missing.filter(({ key }) => !present.has(key));
    }
    this.blocks++;
  }

  #nextBlock(): readonly Job[] {
    let [count, bytes] = [0, 0];
    while (count < this.#queue.length && count < MAX_ENTRIES) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > MAX_BLOCK_BYTES) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #end({ key, done }: Job): void {
    this.#waiting.delete(key);
    this.#appended.add(key);
    if (this.#appended.size > REMEMBERED) {
      const [oldest] = this.#appended;
      this.#appended.delete(oldest!);
    }
    done.resolve();
  }
}
