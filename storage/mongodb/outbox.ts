import { getLogger } from "@logtape/logtape";
import type { AnyBulkWriteOperation, Collection, ObjectId } from "mongodb";
import type { Calls } from "./calls.ts";
import { CODECS, type CollectionName, type MongoDocument, type OutboxEntry } from "./codec.ts";
import type { GroupCommit } from "./group_commit.ts";
import { OUTBOX, specificationOf } from "./indexes.ts";

const log = getLogger(["mpc", "storage"]);

/**
 * How long a document may keep an outbox that is in the log: the next write of the document removes
 * it at no cost, and otherwise several are removed at once.
 */
const CLEAR_AFTER_MS = 250;

/** How many documents are flushed at once. */
const AT_ONCE = 200;

const NAMES = Object.keys(CODECS) as readonly CollectionName[];

/** A document with an outbox. */
export interface Pending {
  readonly name: string;
  readonly outbox: readonly OutboxEntry[];
  /** Whether it is a tombstone. */
  readonly deleted: boolean;
  /** The version and the write that left exactly this outbox; undefined if that is not known. */
  readonly flushed?: Flushed;
}

/** A version of a document whose outbox is in the log. */
interface Flushed {
  readonly version: number;
  /** Tells it from a version with the same number of a document that was deleted and made again. */
  readonly write: ObjectId;
}

/** The removal of an outbox that is in the log. */
interface Clear {
  readonly flushed: Flushed | undefined;
  readonly operation: AnyBulkWriteOperation<MongoDocument>;
}

/** Carries the events of documents to the log, and removes them from the documents. */
export class Outbox {
  readonly #calls: Calls;
  readonly #commit: GroupCommit;
  readonly #collection: (name: CollectionName) => Collection<MongoDocument>;
  readonly #isOut: (id: ObjectId) => Promise<boolean>;
  /** By the names of documents. */
  readonly #clears = new Map<CollectionName, Map<string, Clear>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: {
    readonly calls: Calls;
    readonly commit: GroupCommit;
    readonly collection: (name: CollectionName) => Collection<MongoDocument>;
    readonly isOut: (id: ObjectId) => Promise<boolean>;
  }) {
    this.#calls = options.calls;
    this.#commit = options.commit;
    this.#collection = options.collection;
    this.#isOut = options.isOut;
  }

  /** Whether the events of a write are in the log. */
  isOut(id: ObjectId): Promise<boolean> {
    return this.#isOut(id);
  }

  /** As {@linkcode GroupCommit.expect}, for a write whose outbox will be flushed. */
  expect(): () => void {
    return this.#commit.expect();
  }

  /** Appends a document's outbox, which then is removed soon; a tombstone with it. */
  async flush(
    collection: CollectionName,
    { name, outbox, deleted, flushed }: Pending,
  ): Promise<void> {
    const last = outbox.at(-1);
    if (!last) return;
    await this.#commit.append(outbox);
    // Only what was appended: an outbox grows at its end, or is removed as a whole.
    const same = {
      _id: name,
      "outbox.id": last.id,
      outbox: { $size: outbox.length },
    };
    const clears = this.#clears.get(collection) ?? new Map<string, Clear>();
    this.#clears.set(collection, clears);
    clears.set(name, {
      flushed,
      operation: deleted
        ? { deleteOne: { filter: { ...same, deleted: true } } }
        : { updateOne: { filter: same, update: { $unset: { outbox: "" } } } },
    });
    this.#timer ??= setTimeout(
      () => this.#calls.background(async () => void await this.clear()),
      CLEAR_AFTER_MS,
    );
  }

  /**
   * Leaves it to the caller to remove the outbox of a version that is in the log.
   * @returns the write that left the outbox; undefined if none of the version is to be removed
   */
  takeOver(collection: CollectionName, name: string, version: number): ObjectId | undefined {
    const clears = this.#clears.get(collection);
    const flushed = clears?.get(name)?.flushed;
    if (flushed?.version !== version) return undefined;
    clears?.delete(name);
    return flushed.write;
  }

  /**
   * Appends what is in any document's outbox: what a crash has left, and what other handles are
   * about to append.
   */
  async flushAll(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.#flushCollection(name)));
  }

  async #flushCollection(name: CollectionName): Promise<void> {
    const found = await this.#calls.retried(() =>
      this.#collection(name).find({ "outbox.id": { $exists: true } }, {
        projection: { outbox: 1, deleted: 1 },
        hint: specificationOf(OUTBOX),
      }).toArray()
    );
    for (let start = 0; start < found.length; start += AT_ONCE) {
      await Promise.all(
        found.slice(start, start + AT_ONCE)
          .map(({ _id, outbox = [], deleted = false }) =>
            this.flush(name, { name: _id, outbox, deleted })
          ),
      );
    }
  }

  /**
   * Removes outboxes that are in the log. One that stays is appended again, which does nothing.
   * @returns whether all were removed
   */
  async clear(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const clears = [...this.#clears];
    this.#clears.clear();
    let cleared = true;
    for (const [name, documents] of clears) {
      const operations = [...documents.values()].map(({ operation }) => operation);
      if (operations.length === 0) continue;
      try {
        await this.#collection(name).bulkWrite(operations, { ordered: false });
      } catch (error) {
        // The next flush of all outboxes finds them again.
        log.debug("Outboxes were not removed: {error}", { error });
        cleared = false;
      }
    }
    return cleared;
  }
}
