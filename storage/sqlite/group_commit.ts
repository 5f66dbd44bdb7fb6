import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { type Event, isMpcError, type NewEvent } from "@mpc/domain";
import { storeClosed, throwIfAborted } from "../shared/errors.ts";
import { storeError } from "./sqlite_errors.ts";

/** One write, made inside a transaction: it either throws before it changes anything, or is done. */
export interface Write<T> {
  readonly signal: AbortSignal | undefined;
  readonly events: readonly NewEvent[];
  readonly run: () => T;
}

interface Job {
  /** Makes the write; a refusal is kept for its caller and harms nobody else. */
  attempt(): readonly Event[];
  succeed(): void;
  fail(error: unknown): void;
}

/** Most writes in one transaction. */
const MAX_BATCH = 256;

/**
 * Writes that are asked for in the same turn of the event loop share one transaction, and so one
 * flush to disk. Each is checked on its own; all are answered when the disk has them.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #append: (events: readonly NewEvent[]) => readonly Event[];
  readonly #onDurable: (events: readonly Event[]) => void;
  readonly #onRollback: () => void;
  #jobs: Job[] = [];
  #scheduled = false;
  #closed = false;
  #drained = Promise.withResolvers<void>();
  commits = 0;

  constructor(options: {
    database: DatabaseSync;
    /** Puts events into the log, inside the transaction, and says which numbers they got. */
    append: (events: readonly NewEvent[]) => readonly Event[];
    onDurable: (events: readonly Event[]) => void;
    /** The numbers given since the last commit are free again. */
    onRollback: () => void;
  }) {
    this.#database = options.database;
    this.#append = options.append;
    this.#onDurable = options.onDurable;
    this.#onRollback = options.onRollback;
  }

  /** Makes a write; resolves when it is durable. */
  write<T>(write: Write<T>): Promise<T> {
    if (this.#closed) return Promise.reject(storeClosed());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: { readonly value: T } | { readonly error: unknown };
    this.#jobs.push({
      attempt: () => {
        try {
          throwIfAborted(write.signal);
          const value = write.run();
          const events = this.#append(write.events);
          result = { value };
          return events;
        } catch (error) {
          // A refusal comes before any change; anything else undoes the whole transaction.
          if (!isMpcError(error)) throw error;
          result = { error };
          return [];
        }
      },
      succeed: () => "value" in result ? resolve(result.value) : reject(result.error),
      fail: reject,
    });
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#drain());
    }
    return promise;
  }

  /** Makes what has been asked for, and refuses what comes later. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#scheduled) await this.#drained.promise;
  }

  #drain(): void {
    const jobs = this.#jobs.splice(0, MAX_BATCH);
    this.#commit(jobs);
    if (this.#jobs.length > 0) {
      setImmediate(() => this.#drain());
      return;
    }
    this.#scheduled = false;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers<void>();
  }

  #commit(jobs: readonly Job[]): void {
    let events: readonly Event[];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      events = jobs.flatMap((job) => job.attempt());
      this.#database.exec("COMMIT");
      this.commits++;
    } catch (error) {
      this.#rollback();
      for (const job of jobs) job.fail(storeError(error));
      return;
    }
    this.#onDurable(events);
    for (const job of jobs) job.succeed();
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#onRollback();
  }
}
