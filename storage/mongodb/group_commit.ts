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

/** How many entries are remembered as appended. */
const REMEMBERED = 8_192;

/**
 * Appends the events of writes to the log: one block at a time, with everything that was requested
 * while the block before was under way. Entries are appended in the order in which they were
 * requested, each of them once.
 */
export class GroupCommit {
  readonly #calls: Calls;
  readonly #log: Log;
  #queue: Job[] = [];
  readonly #waiting = new Map<string, Job>();
  /** Ids of entries that are in the log, the oldest first. */
  readonly #appended = new Set<string>();
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
      const jobs = this.#nextBlock();
      try {
        await this.#calls.retried(() => this.#appendAll(jobs));
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
