import type {
  Environment,
  Event,
  Filter,
  NewEvent,
  Operation,
  OrderKey,
  Orphan,
  Revision,
  Workload,
} from "@mpc/domain";

/** A document and its version: 1 when it is created, one more with every replace. */
export interface Stored<T> {
  readonly value: T;
  readonly version: number;
}

export interface ReadOptions {
  /** Aborts the call: `CANCELLED`, nothing done. */
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends ReadOptions {
  /** Appended to the log in the same atomic step as the write, in this order. */
  readonly events?: readonly NewEvent[];
}

/** Where a page ended: the values of the order's keys, then the document's name. */
export interface Cursor {
  readonly keys: readonly (string | number | boolean | null)[];
  readonly name: string;
}

export interface ListQuery extends ReadOptions {
  /** Only documents whose name begins with this. */
  readonly prefix?: string;
  readonly filter?: Filter;
  /** By name where empty; the name always breaks ties, in the direction of the last key. */
  readonly orderBy?: readonly OrderKey[];
  /** Go on behind this. */
  readonly after?: Cursor;
  /** At most so many, from 1. */
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly Stored<T>[];
  /** Null on the last page. */
  readonly next: Cursor | null;
}

/**
 * Documents of one kind, by name. Every write is one document and its events, atomic and durable
 * before the call returns. Values are copied in and out: who changes one changes nothing here.
 *
 * Every call may fail with:
 * - `CANCELLED` `ABORTED_BY_CALLER`: the signal was aborted before the write was made
 * - `UNAVAILABLE` `STORE_UNAVAILABLE`: the store cannot be reached or is closed
 * - `RESOURCE_EXHAUSTED` `STORE_FULL`: no room is left; nothing was written
 * - `DATA_LOSS` `STORE_CORRUPT`: what is stored cannot be read
 */
export interface Collection<T extends { readonly name: string }> {
  /**
   * Adds a document under its `name`.
   * @throws `ALREADY_EXISTS` `NAME_TAKEN`: there is one of that name
   */
  create(value: T, options?: WriteOptions): Promise<Stored<T>>;
  /** Reads a document; undefined where there is none. */
  get(name: string, options?: ReadOptions): Promise<Stored<T> | undefined>;
  /**
   * Lists documents. Pages stay stable while others write: what was there all the time is listed
   * exactly once.
   */
  list(query: ListQuery): Promise<Page<T>>;
  /** Counts documents. */
  count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number>;
  /**
   * Swaps a document if it still has `version`.
   * @throws `NOT_FOUND` `NO_SUCH_DOCUMENT`: it is gone
   * @throws `ABORTED` `VERSION_CONFLICT`: somebody else was first
   */
  replace(value: T, version: number, options?: WriteOptions): Promise<Stored<T>>;
  /**
   * Removes a document if it still has `version`.
   * @throws `NOT_FOUND` `NO_SUCH_DOCUMENT`: it is gone
   * @throws `ABORTED` `VERSION_CONFLICT`: somebody else was first
   */
  delete(name: string, version: number, options?: WriteOptions): Promise<void>;
}

/** Operations are also unique by actor and request id, so that a repeated request is found. */
export interface OperationCollection extends Collection<Operation> {
  /**
   * Adds an operation.
   * @throws `ALREADY_EXISTS` `NAME_TAKEN`: there is one of that name
   * @throws `ALREADY_EXISTS` `REQUEST_ID_TAKEN`: the actor has used this request id
   */
  create(value: Operation, options?: WriteOptions): Promise<Stored<Operation>>;
  /** Reads the operation of an actor's request id; undefined where there is none. */
  findByRequestId(
    actor: string,
    requestId: string,
    options?: ReadOptions,
  ): Promise<Stored<Operation> | undefined>;
}

/** The one ordered log. */
export interface EventLog {
  /** Appends without touching a document. */
  append(events: readonly NewEvent[], options?: ReadOptions): Promise<void>;
  /** The sequence of the newest event; 0 where there is none. */
  head(options?: ReadOptions): Promise<number>;
  /**
   * Reads at most `limit` events behind `after`, in order, without gaps.
   * @throws `OUT_OF_RANGE` `EVENTS_COMPACTED`: events behind `after` are no longer kept;
   *   `metadata.oldest` is the oldest sequence that is
   */
  read(after: number, limit: number, options?: ReadOptions): Promise<readonly Event[]>;
  /**
   * Yields every event behind `after`, then each new one when it is durable, until aborted (then
   * it ends without an error) or the store is closed (`UNAVAILABLE`).
   * @throws `OUT_OF_RANGE` `EVENTS_COMPACTED` as `read` does
   */
  tail(after: number, signal: AbortSignal): AsyncIterable<Event>;
  /** Forgets all events before `sequence`. */
  compact(sequence: number, options?: ReadOptions): Promise<void>;
}

/** All that the platform keeps. */
export interface Store {
  readonly environments: Collection<Environment>;
  readonly workloads: Collection<Workload>;
  readonly revisions: Collection<Revision>;
  readonly operations: OperationCollection;
  readonly orphans: Collection<Orphan>;
  readonly events: EventLog;
  /** Commits made durable since the store was opened; what an operation costs is counted in them. */
  readonly commits: number;
  /** Finishes running writes and lets go of every resource; later calls are `UNAVAILABLE`. */
  close(): Promise<void>;
}
