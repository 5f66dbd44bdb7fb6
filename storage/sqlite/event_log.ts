import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Event, NewEvent } from "@mpc/domain";
import { eventsCompacted, storeClosed, throwIfAborted } from "../shared/errors.ts";
import { LiveTail, RECENT_EVENTS } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";
import type { GroupCommit } from "./group_commit.ts";
import { OutsideCommits } from "./outside_commits.ts";
import { storeError } from "./errors.ts";

const HEAD = `SELECT max(compacted, coalesce((SELECT max(sequence) FROM events), 0)) AS head
  FROM log`;

/** The log as a table; numbers are given inside the transaction of the write they belong to. */
export class SqliteEventLog implements EventLog {
  readonly #database: DatabaseSync;
  readonly #commit: () => GroupCommit;
  readonly #isOpen: () => boolean;
  readonly #tail: LiveTail;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #selectHead: StatementSync;
  readonly #selectCompacted: StatementSync;
  /** The last number given in the running transaction. */
  #given = 0;
  /** The last event that followers were told of. */
  #told: number;

  constructor(options: {
    database: DatabaseSync;
    commit: () => GroupCommit;
    isOpen: () => boolean;
    /** Whether other processes append too. */
    shared: boolean;
  }) {
    const { database } = options;
    this.#database = database;
    this.#commit = options.commit;
    this.#isOpen = options.isOpen;
    this.#insert = database.prepare("INSERT INTO events (sequence, body) VALUES (?, ?)");
    this.#select = database.prepare(
      "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
    );
    this.#selectHead = database.prepare(HEAD);
    this.#selectCompacted = database.prepare("SELECT compacted FROM log");
    this.#told = this.#head();
    const outside = new OutsideCommits(database);
    this.#tail = new LiveTail({
      read: (after, limit) => this.read(after, limit),
      ...(options.shared && { watch: () => outside.watch(() => this.#tell([])) }),
    });
  }

  append(events: readonly NewEvent[], { signal }: ReadOptions = {}): Promise<void> {
    return this.#commit().write({ signal, events, run: () => undefined });
  }

  async head(options: ReadOptions = {}): Promise<number> {
    return await this.#read(options, () => this.#head());
  }

  async read(
    after: number,
    limit: number,
    options: ReadOptions = {},
  ): Promise<readonly Event[]> {
    return await this.#read(options, () => {
      const events = this.#behind(after, limit);
      if (events[0]?.sequence === after + 1) return events;
      const compacted = this.#compacted();
      if (after < compacted) throw eventsCompacted(after, compacted + 1);
      return events;
    });
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return this.#tail.follow(after, signal);
  }

  async compact(sequence: number, { signal }: ReadOptions = {}): Promise<void> {
    await this.#commit().write({
      signal,
      events: [],
      run: () => {
        const upTo = Math.min(sequence - 1, this.#head());
        if (upTo <= this.#compacted()) return;
        this.#database.prepare("DELETE FROM events WHERE sequence <= ?").run(upTo);
        this.#database.prepare("UPDATE log SET compacted = ?").run(upTo);
      },
    });
  }

  /** Begins to give numbers, inside a new transaction. */
  begin(): void {
    this.#given = this.#head();
  }

  /** Appends inside a running transaction; followers get the very events, frozen. */
  push(events: readonly NewEvent[]): readonly Event[] {
    return events.map((event) => {
      const sequence = this.#given + 1;
      this.#insert.run(sequence, JSON.stringify(event));
      this.#given = sequence;
      return { ...event, sequence };
    });
  }

  /** Tells followers of events that this process has made durable now. */
  durable(events: readonly Event[]): void {
    if (events.length > 0) this.#tell(events);
  }

  close(): void {
    this.#tail.close();
  }

  /** Tells followers of all that they do not know; `own` saves reading what is at hand. */
  #tell(own: readonly Event[]): void {
    try {
      const events = own[0]?.sequence === this.#told + 1
        ? own
        : this.#behind(Math.max(this.#told, this.#head() - RECENT_EVENTS), RECENT_EVENTS);
      this.#told = events.at(-1)?.sequence ?? this.#told;
      this.#tail.append(events);
    } catch {
      // Followers read for themselves then, and each is told what is wrong.
      this.#tail.forget();
    }
  }

  #behind(after: number, limit: number): readonly Event[] {
    return this.#select.all(after, limit).map((row) => ({
      ...JSON.parse(String(row["body"])),
      sequence: Number(row["sequence"]),
    }));
  }

  #head(): number {
    return Number(this.#selectHead.get()?.["head"]);
  }

  #compacted(): number {
    return Number(this.#selectCompacted.get()?.["compacted"]);
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
