import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Event, Instant, NewEvent } from "@mpc/domain";
import { eventsCompacted, throwIfAborted } from "../shared/errors.ts";
import { eachEvent, LiveTail, RECENT_EVENTS } from "../shared/live_tail.ts";
import type { EventLog, ReadOptions } from "../store.ts";
import type { GroupCommit, Log } from "./group_commit.ts";
import type { DatabaseHealth } from "./health.ts";

/** How often to look for commits of other connections: a look takes microseconds. */
const SELDOM_MS = 4;
const OFTEN_MS = 1;

/** How many looks follow one another quickly after a commit, because one commit leads to others. */
const OFTEN_LOOKS = 100;

/** How many events are removed in one commit, which other writes wait for. */
const REMOVED_AT_ONCE = 2_000;

/** The oldest event whose time is not before the given time. */
const FIRST_KEPT = `SELECT sequence
  FROM (SELECT sequence, body FROM events ORDER BY sequence LIMIT ${REMOVED_AT_ONCE})
  WHERE json_extract(body, '$.time') >= ? LIMIT 1`;

const LAST_REMOVED = `SELECT max(sequence) AS last
  FROM (SELECT sequence FROM events WHERE sequence < ? ORDER BY sequence LIMIT ${REMOVED_AT_ONCE})`;

const COMPACTED = "UPDATE log SET compacted = max(compacted, ?)";

/** The log as a table. An event gets its sequence in the transaction of its write. */
export class SqliteEventLog implements EventLog, Log {
  readonly #database: DatabaseSync;
  readonly #commit: () => GroupCommit;
  readonly #health: DatabaseHealth;
  readonly #assertReadable: () => void;
  readonly #tail: LiveTail;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #selectNewest: StatementSync;
  readonly #selectHead: StatementSync;
  readonly #selectCompacted: StatementSync;
  readonly #dataVersion: StatementSync;
  #lookOften: () => void = () => {};
  /** The newest event before the current transaction. */
  #before = 0;
  /** The newest event, including those of the current transaction. */
  #newest = 0;
  /** The newest event that was delivered to followers. */
  #delivered: number;

  constructor(options: {
    database: DatabaseSync;
    commit: () => GroupCommit;
    health: DatabaseHealth;
    /** @throws `UNAVAILABLE` where the handle is closed, or its files are gone */
    assertReadable: () => void;
    /** Whether other handles append too. */
    shared: boolean;
  }) {
    const { database } = options;
    this.#database = database;
    this.#commit = options.commit;
    this.#health = options.health;
    this.#assertReadable = options.assertReadable;
    this.#insert = database.prepare("INSERT INTO events (sequence, body) VALUES (?, ?)");
    this.#select = database.prepare(
      "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
    );
    this.#selectNewest = database.prepare(
      "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence DESC LIMIT ?",
    );
    this.#selectHead = database.prepare(
      `SELECT max(compacted, coalesce((SELECT max(sequence) FROM events), 0)) AS head FROM log`,
    );
    this.#selectCompacted = database.prepare("SELECT compacted FROM log");
    this.#dataVersion = database.prepare("PRAGMA data_version");
    this.#delivered = this.#head();
    this.#tail = new LiveTail({
      read: (after, limit) => this.read(after, limit),
      ...(options.shared && { watch: () => this.#watchOtherHandles() }),
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
      // Events are read first: another handle may compact the log between the two statements.
      const events = this.#select.all(after, limit).map(eventOf);
      const compacted = this.#compacted();
      if (after < compacted) throw eventsCompacted(after, compacted);
      return events;
    });
  }

  tail(after: number, signal: AbortSignal): AsyncIterable<Event> {
    return eachEvent(this.#tail.follow(after, signal), signal);
  }

  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    return this.#tail.follow(after, signal);
  }

  async compactBefore(time: Instant, options: ReadOptions = {}): Promise<number> {
    let removed = 0;
    for (;;) {
      const last = await this.#read(options, () => this.#lastBefore(time));
      if (last === undefined) return removed;
      removed += await this.#commit().write({
        signal: options.signal,
        events: [],
        run: () => {
          const { changes } = this.#database.prepare("DELETE FROM events WHERE sequence <= ?")
            .run(last);
          this.#database.prepare(COMPACTED).run(last);
          return Number(changes);
        },
      });
      this.#tail.compact(last);
    }
  }

  load(events: readonly Event[], compacted: number): Promise<void> {
    return this.#commit().write({
      signal: undefined,
      events: [],
      run: () => {
        for (const { sequence, ...event } of events) {
          this.#insert.run(sequence, JSON.stringify(event));
        }
        this.#database.prepare(COMPACTED).run(compacted);
      },
    });
  }

  begin(): void {
    this.#before = this.#head();
    this.#newest = this.#before;
  }

  push(events: readonly NewEvent[]): readonly Event[] {
    return events.map((event) => {
      const sequence = this.#newest + 1;
      this.#insert.run(sequence, JSON.stringify(event));
      this.#newest = sequence;
      return { ...event, sequence };
    });
  }

  durable(events: readonly Event[]): void {
    if (events.length === 0) return;
    this.#deliver(events);
    // Another process is likely to answer: a worker starts what the API admits.
    this.#lookOften();
  }

  close(): void {
    this.#tail.close();
  }

  /**
   * Delivers events to followers: the events of this handle's commit, if no other handle has
   * appended events before them; otherwise all events of the log since the last delivery.
   */
  #deliver(own: readonly Event[]): void {
    try {
      const [events, after] = own.length > 0 && this.#before === this.#delivered
        ? [own, this.#before]
        : this.#undelivered();
      this.#delivered = events.at(-1)?.sequence ?? this.#delivered;
      this.#tail.append(events, after);
    } catch {
      // Followers then read the log themselves, and each fails with the reason.
      this.#tail.forget();
    }
  }

  /** The newest events since the last delivery, and the sequence after which they are complete. */
  #undelivered(): readonly [readonly Event[], number] {
    const newest = this.#selectNewest.all(this.#delivered, RECENT_EVENTS + 1).map(eventOf)
      .reverse();
    const compacted = this.#compacted();
    this.#tail.compact(compacted);
    if (newest.length > RECENT_EVENTS) return [newest.slice(1), newest[0]!.sequence];
    return [newest, Math.max(this.#delivered, compacted)];
  }

  /**
   * Delivers events that other connections commit. SQLite counts their commits in `data_version`,
   * which takes microseconds to read ("Pragma statements", SQLite documentation).
   * @returns a function that stops it
   */
  #watchOtherHandles(): () => void {
    let seen: number | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let often = 0;
    let stopped = false;
    const look = () => {
      const version = this.#readDataVersion();
      if (version === undefined || version !== seen) {
        this.#deliver([]);
        often = OFTEN_LOOKS;
      }
      seen = version;
      if (!stopped) timer = setTimeout(look, often-- > 0 ? OFTEN_MS : SELDOM_MS);
    };
    look();
    this.#lookOften = () => {
      if (often <= 0) {
        clearTimeout(timer);
        timer = setTimeout(look, OFTEN_MS);
      }
      often = OFTEN_LOOKS;
    };
    return () => {
      stopped = true;
      clearTimeout(timer);
      this.#lookOften = () => {};
    };
  }

  /** Undefined if it cannot be read: the next delivery finds out why. */
  #readDataVersion(): number | undefined {
    try {
      return Number(this.#dataVersion.get()?.["data_version"]);
    } catch {
      return undefined;
    }
  }

  /** The last event before the first one whose time is `time` or later. */
  #lastBefore(time: Instant): number | undefined {
    const kept = this.#database.prepare(FIRST_KEPT).get(time)?.["sequence"];
    const { last } = this.#database.prepare(LAST_REMOVED).get(kept ?? Number.MAX_SAFE_INTEGER)!;
    return last === null ? undefined : Number(last);
  }

  #head(): number {
    return Number(this.#selectHead.get()?.["head"]);
  }

  #compacted(): number {
    return Number(this.#selectCompacted.get()?.["compacted"]);
  }

  async #read<R>({ signal }: ReadOptions, query: () => R): Promise<R> {
    throwIfAborted(signal);
    this.#assertReadable();
    try {
      return await query();
    } catch (error) {
      throw this.#health.explain(error);
    }
  }
}

function eventOf(row: Record<string, unknown>): Event {
  return { ...JSON.parse(String(row["body"])), sequence: Number(row["sequence"]) };
}
