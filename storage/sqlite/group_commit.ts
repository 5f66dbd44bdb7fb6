import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { type Event, isMpcError, type NewEvent } from "@mpc/domain";
import { storeClosed, throwIfAborted } from "../shared/errors.ts";
import { BUSY_TIMEOUT_MS } from "./open_database.ts";
import { isBusy } from "./errors.ts";
import type { DatabaseHealth } from "./health.ts";

/** One write. Inside the transaction it either throws before it changes anything, or succeeds. */
export interface Write<T> {
  readonly signal: AbortSignal | undefined;
  readonly events: readonly NewEvent[];
  readonly run: () => T;
}

/** The event log's part in a transaction. */
export interface Log {
  /** Prepares for a new transaction, inside it. */
  begin(): void;
  /** Appends events inside the transaction; returns them with their sequences. */
  push(events: readonly NewEvent[]): readonly Event[];
  /** Delivers the events of a transaction that has been committed. */
  durable(events: readonly Event[]): void;
}

interface Job {
  /** Makes the write. A refusal is kept for its caller and does not fail the other writes. */
  attempt(): readonly Event[];
  succeed(): void;
  fail(error: unknown): void;
}

/** The most writes in one transaction. */
const MAX_BATCH = 256;

/** The approximate pause between attempts to get a lock that another process holds. */
const BUSY_PAUSE_MS = 2;

/**
 * Groups writes that are requested in the same turn of the event loop into one transaction, and so
 * into one flush to disk. Each write is checked separately; all return when they are on disk, in
 * files that are still in place. While another process writes, new writes join the waiting batch, and the event loop is not blocked.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #health: DatabaseHealth;
  readonly #busyTimeoutMs: number;
  #jobs: Job[] = [];
  #scheduled = false;
  #busySince: number | undefined;
  #closed = false;
  #drained = Promise.withResolvers<void>();
  /** Commits made since the store was opened. */
  commits = 0;

  /** @param busyTimeoutMs how long writes wait for a write of another process */
  constructor(
    database: DatabaseSync,
    parts: { readonly log: Log; readonly health: DatabaseHealth },
    busyTimeoutMs: number,
  ) {
    this.#database = database;
    this.#log = parts.log;
    this.#health = parts.health;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** How long writes have been waiting for a write of another process. */
  get waitedMs(): number {
    return this.#busySince === undefined ? 0 : performance.now() - this.#busySince;
  }

  /** Resolves when the write is durable. */
  write<T>(write: Write<T>): Promise<T> {
    if (this.#closed) return Promise.reject(storeClosed());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: { readonly value: T } | { readonly error: unknown };
    this.#jobs.push({
      attempt: () => {
        try {
          throwIfAborted(write.signal);
          const value = write.run();
          const events = this.#log.push(write.events);
          result = { value };
          return events;
        } catch (error) {
          // A refusal comes before any change; any other error rolls the whole transaction back.
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

  /** Finishes the writes that have been requested and rejects later ones. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#scheduled) await this.#drained.promise;
  }

  #drain(): void {
    try {
      this.#begin();
    } catch (error) {
      if (isBusy(error) && this.#mayWait()) {
        setTimeout(() => this.#drain(), BUSY_PAUSE_MS * (0.5 + Math.random()));
        return;
      }
      const reason = this.#health.explain(error);
      for (const job of this.#jobs.splice(0)) job.fail(reason);
    }
    this.#busySince = undefined;
    if (this.#jobs.length > 0) this.#commit(this.#jobs.splice(0, MAX_BATCH));
    if (this.#jobs.length > 0) {
      setImmediate(() => this.#drain());
      return;
    }
    this.#scheduled = false;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers<void>();
  }

  /**
   * Begins a transaction if no other process is in one; SQLite itself would block the event loop.
   */
  #begin(): void {
    this.#health.assertWritable();
    // An earlier one that could not be rolled back.
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#database.exec("PRAGMA busy_timeout = 0");
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // The disk may fail here too. The writes are refused for the first reason, and the next
      // transaction rolls back again.
    }
  }

  #mayWait(): boolean {
    this.#busySince ??= performance.now();
    return performance.now() - this.#busySince < this.#busyTimeoutMs;
  }

  #commit(jobs: readonly Job[]): void {
    let events: readonly Event[];
    try {
      this.#log.begin();
      events = jobs.flatMap((job) => job.attempt());
      this.#database.exec("COMMIT");
      this.commits++;
      this.#health.assertInPlace();
    } catch (error) {
      this.#rollBack();
      const reason = this.#health.explain(error);
      for (const job of jobs) job.fail(reason);
      return;
    }
    this.#log.durable(events);
    for (const job of jobs) job.succeed();
  }
}
