/**
 * The ports of storage. Adapters: `@mpc/storage/memory`, `@mpc/storage/sqlite` and
 * `@mpc/storage/mongodb`; `openStore()` of `@mpc/storage/open_store` chooses one by an address.
 *
 * A handle is one opened {@linkcode Store}. Where an adapter allows several handles of one store,
 * in one process or in many, readers of every handle may rely on this:
 *
 * - **Read your writes.** A call that begins after a write has returned sees that write.
 * - **One winner.** Of writes that name the same version, or create the same name, one succeeds.
 * - **Document before event.** A reader that has seen an event reads its document at least as new
 *   as the event: with the event's version, a later one, or deleted.
 * - **All or none.** A write that is refused leaves neither document nor events. When a write has
 *   returned, its events are in the log. While it runs, and when its process dies in the middle, a
 *   reader may see the document before the events, never the events before the document; in the end
 *   the store has both or neither.
 * - **Head covers reads.** A call of `head()` that begins after a document was read returns at least
 *   the sequence of the events of that document's version, also where the write was interrupted.
 * - **One order.** All handles read the same events in the same order. A reader that has seen an
 *   event never finds an event with a smaller sequence later. Events of one document are in the order
 *   of its versions, events of one write in the order given; events of other writes may be between
 *   them.
 *
 * Not promised: that two documents, or two pages of one list, are read at the same moment.
 */
import type {
  AuditMark,
  AuditRecord,
  ClusterClaim,
  DeadLetter,
  Environment,
  Event,
  EventSink,
  Filter,
  Installation,
  Instant,
  Lease,
  NewEvent,
  Operation,
  OrderKey,
  Orphan,
  Revision,
  Token,
  Workload,
} from "@mpc/domain";

/** A document and its version: 1 when it is created, one more with every replace. */
export interface Stored<T> {
  readonly value: T;
  readonly version: number;
}

export interface ReadOptions {
  /** Aborts the call with `CANCELLED`; a write is then not made. */
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends ReadOptions {
  /** Appended to the log with the write, in this order: all or none. */
  readonly events?: readonly NewEvent[];
}

/** Where a page ended: the values of the order's keys, then the document's name. */
export interface Cursor {
  readonly keys: readonly (string | number | boolean | null)[];
  readonly name: string;
}

export interface ListQuery extends ReadOptions {
  /** Only documents whose name starts with this. */
  readonly prefix?: string;
  readonly filter?: Filter;
  /**
   * By name if empty, or one of `LIST_ORDERS`; another one is a fault of the program, for which a store
   * may have no index. The name breaks ties, in the direction of the last key.
   */
  readonly orderBy?: readonly OrderKey[];
  /** Only documents that come later in the order than this. */
  readonly after?: Cursor;
  /** The maximum number of documents to return; at least 1. */
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly Stored<T>[];
  /** Null on the last page, also when that page is full. */
  readonly next: Cursor | null;
}

/**
 * Documents of one kind, by name. A write changes one document and appends its events, and is
 * durable when the call returns. Values are copied in and out: changing one does not change the
 * store.
 *
 * Every call may fail with:
 * - `CANCELLED` `ABORTED_BY_CALLER`: the signal was aborted before the write was made
 * - `UNAVAILABLE` `STORE_UNAVAILABLE`: the store cannot be reached, or the handle is closed
 * - `UNAVAILABLE` `STORE_LOCKED`, `STORE_READ_ONLY`, `STORE_IO_FAILED`: the store's files cannot be
 *   written (or read) now
 * - `UNAVAILABLE` `STORE_REPLACED`: its files are no longer in their place. A write may have been made
 *   in the lost files; it is not acknowledged
 * - `RESOURCE_EXHAUSTED` `STORE_FULL`: there is no room left; nothing was written
 * - `DATA_LOSS` `STORE_CORRUPT`: the stored data cannot be read
 */
export interface Collection<T extends { readonly name: string }> {
  /**
   * Adds a document under its `name`.
   * @throws `ALREADY_EXISTS` `NAME_TAKEN`: a document of that name exists
   */
  create(value: T, options?: WriteOptions): Promise<Stored<T>>;
  /** Reads a document; undefined if it does not exist. */
  get(name: string, options?: ReadOptions): Promise<Stored<T> | undefined>;
  /**
   * Lists documents. Pages stay stable while others write: a document that exists all the time and
   * keeps its place in the order is listed exactly once.
   */
  list(query: ListQuery): Promise<Page<T>>;
  /** Counts documents. */
  count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number>;
  /**
   * Replaces a document if it still has `version`.
   * @throws `NOT_FOUND` `NO_SUCH_DOCUMENT`: it does not exist
   * @throws `ABORTED` `VERSION_CONFLICT`: it has another version
   */
  replace(value: T, version: number, options?: WriteOptions): Promise<Stored<T>>;
  /**
   * Deletes a document if it still has `version`.
   * @throws `NOT_FOUND` `NO_SUCH_DOCUMENT`: it does not exist
   * @throws `ABORTED` `VERSION_CONFLICT`: it has another version
   */
  delete(name: string, version: number, options?: WriteOptions): Promise<void>;
  /**
   * Puts documents in with the versions that they have in another store, in this order and over
   * documents of the same name. For copies, into a store that nothing else uses.
   */
  load?(documents: readonly Stored<T>[]): Promise<void>;
}

/** Operations are also unique by actor and request id, so that a repeated request is found. */
export interface OperationCollection extends Collection<Operation> {
  /**
   * Adds an operation.
   * @throws `ALREADY_EXISTS` `NAME_TAKEN`: an operation of that name exists
   * @throws `ALREADY_EXISTS` `REQUEST_ID_TAKEN`: the actor has used this request id
   */
  create(value: Operation, options?: WriteOptions): Promise<Stored<Operation>>;
  /** Reads the operation with an actor's request id; undefined if there is none. */
  findByRequestId(
    actor: string,
    requestId: string,
    options?: ReadOptions,
  ): Promise<Stored<Operation> | undefined>;
}

/** The records of the audit, by their sequence. */
export interface AuditCollection extends Collection<AuditRecord> {
  /**
   * Adds records in this order, up to the first one whose name is taken. If it fails, any number of
   * the first records may have been added.
   * @returns how many records it added
   */
  append(records: readonly AuditRecord[]): Promise<number>;
}

/**
 * The single ordered log. Sequences are positive safe integers, unique and strictly increasing,
 * also after compaction and reopening. They are not dense, and arithmetic on them is meaningless:
 * only their order matters. 0 is before every event.
 */
export interface EventLog {
  /** Appends events without touching a document. */
  append(events: readonly NewEvent[], options?: ReadOptions): Promise<void>;
  /**
   * The sequence of the newest event, even if it was removed; 0 if there never was an event. Covers
   * the events of every version that was read before the call.
   */
  head(options?: ReadOptions): Promise<number>;
  /**
   * Reads the next events after the sequence `after`, at most `limit`, in order.
   * @throws `OUT_OF_RANGE` `EVENTS_COMPACTED`: events after `after` have been removed;
   *   `metadata.compacted` is the sequence after which all events are still kept
   */
  read(after: number, limit: number, options?: ReadOptions): Promise<readonly Event[]>;
  /**
   * Yields every event after the sequence `after`, then each new event soon after it is durable,
   * whichever handle appended it. Ends without an error when aborted, and with `UNAVAILABLE` when
   * the handle is closed. It may still yield an event that another handle has just removed.
   * @throws `OUT_OF_RANGE` `EVENTS_COMPACTED` as `read` does
   */
  tail(after: number, signal: AbortSignal): AsyncIterable<Event>;
  /**
   * Like `tail`, but yields the events in batches: a reader that is slower than the writers gets
   * more events at once. Batches are not empty and their number of events is limited.
   */
  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Event[]>;
  /**
   * Removes the oldest events, up to the first event whose `time` is `time` or later (milliseconds
   * since 1970). Events after that one stay, although a wrong clock may have given them an older
   * time.
   * @returns how many events this call removed
   */
  compactBefore(time: Instant, options?: ReadOptions): Promise<number>;
  /**
   * Appends events with the sequences that they have in another log, all after this log's head. For
   * copies, into a store that nothing else uses.
   * @param compacted up to which sequence the other log has removed its events
   */
  load?(events: readonly Event[], compacted: number): Promise<void>;
}

/** All data that the platform keeps. */
export interface Store {
  readonly environments: Collection<Environment>;
  readonly workloads: Collection<Workload>;
  readonly revisions: Collection<Revision>;
  readonly operations: OperationCollection;
  readonly orphans: Collection<Orphan>;
  readonly claims: Collection<ClusterClaim>;
  readonly leases: Collection<Lease>;
  readonly tokens: Collection<Token>;
  /** One document at most; see {@linkcode Installation}. */
  readonly installations: Collection<Installation>;
  readonly audit: AuditCollection;
  readonly auditMarks: Collection<AuditMark>;
  readonly eventSinks: Collection<EventSink>;
  readonly deadLetters: Collection<DeadLetter>;
  readonly events: EventLog;
  /**
   * Checks by a trial that the store keeps what is written to it now. It takes a write, changes no
   * document and appends no event; readiness and the doctor call it. Without it they only read.
   * @throws {MpcError} the errors of a write that every {@linkcode Collection} lists
   */
  assertWritable?(options?: ReadOptions): Promise<void>;
  /** Finishes running writes and releases every resource; later calls are `UNAVAILABLE`. */
  close(): Promise<void>;
}
