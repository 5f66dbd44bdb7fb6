import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Event, NewEvent } from "@mpc/domain";
import { eventsCompacted, storeClosed, throwIfAborted } from "../shared/errors.ts";
import { LiveTail } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";
import type { GroupCommit } from "./group_commit.ts";
import { storeError } from "./sqlite_errors.ts";

/** The log as a table; numbers are given inside the transaction of the write they belong to. */
export class SqliteEventLog implements EventLog {
  readonly #database: DatabaseSync;
  readonly #commit: () => GroupCommit;
  readonly #isOpen: () => boolean;
  readonly #tail = new LiveTail((after, limit) => this.read(after, limit));
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  #durable: number;
  #given: number;
  #compacted: number;

  constructor(database: DatabaseSync, commit: () => GroupCommit, isOpen: () => boolean) {
    this.#database = database;
    this.#commit = commit;
    this.#isOpen = isOpen;
    this.#insert = database.prepare("INSERT INTO events (sequence, body) VALUES (?, ?)");
    this.#select = database.prepare(
      "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
    );
    this.#compacted = Number(database.prepare("SELECT compacted FROM log").get()?.["compacted"]);
    const newest = database.prepare("SELECT max(sequence) AS newest FROM events").get();
    this.#durable = Math.max(this.#compacted, Number(newest?.["newest"] ?? 0));
    this.#given = this.#durable;
  }

  append(events: readonly NewEvent[], { signal }: ReadOptions = {}): Promise<void> {
    return this.#commit().write({ signal, events, run: () => undefined });
  }

  async head(options: ReadOptions = {}): Promise<number> {
    return await this.#read(options, () => this.#durable);
  }

  async read(
    after: number,
    limit: number,
    options: ReadOptions = {},
  ): Promise<readonly Event[]> {
    return await this.#read(options, () => {
      if (after < this.#compacted) throw eventsCompacted(after, this.#compacted + 1);
      return this.#select.all(after, limit).map((row) => ({
        ...JSON.parse(String(row["body"])),
        sequence: Number(row["sequence"]),
      }));
    });
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return this.#tail.follow(after, signal);
  }

  async compact(sequence: number, { signal }: ReadOptions = {}): Promise<void> {
    const upTo = Math.min(sequence - 1, this.#durable);
    if (upTo <= this.#compacted) return;
    await this.#commit().write({
      signal,
      events: [],
      run: () => {
        this.#database.prepare("DELETE FROM events WHERE sequence <= ?").run(upTo);
        this.#database.prepare("UPDATE log SET compacted = ?").run(upTo);
      },
    });
    this.#compacted = upTo;
  }

  /** Appends inside a running transaction; followers get the very events, frozen. */
  push(events: readonly NewEvent[]): readonly Event[] {
    return events.map((event) => {
      const sequence = this.#given + 1;
      const body = JSON.stringify(event);
      this.#insert.run(sequence, body);
      this.#given = sequence;
      return { ...event, sequence };
    });
  }

  /** Tells followers of events that are durable now. */
  durable(events: readonly Event[]): void {
    this.#durable = this.#given;
    this.#tail.append(events);
  }

  /** Takes back the numbers given since the last commit. */
  rolledBack(): void {
    this.#given = this.#durable;
  }

  close(): void {
    this.#tail.close();
  }

  async #read<R>({ signal }: ReadOptions, query: () => R): Promise<R> {
    throwIfAborted(signal);
    if (!this.#isOpen()) throw storeClosed();
    try {
      return await query();
    } catch (error) {
      throw storeError(error);
    }
  }
}
