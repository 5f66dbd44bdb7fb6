import { type Collection as MongoCollectionHandle, ObjectId } from "mongodb";
import { nameTaken, noSuchDocument, requestIdTaken, versionConflict } from "../shared/errors.ts";
import { cursorOf } from "../shared/order.ts";
import type { Collection, ListQuery, Page, ReadOptions, Stored, WriteOptions } from "../store.ts";
import type { Calls } from "./calls.ts";
import { type Codec, CODECS, type CollectionName, encodeEvent } from "./codec.ts";
import type { MongoDocument, OutboxEntry } from "./codec.ts";
import { assertFits, isDuplicate, outcomeUnknown } from "./errors.ts";
import type { Query } from "./filter_query.ts";
import { INDEXES } from "./indexes.ts";
import { conditionQuery, pageQuery } from "./list_query.ts";
import type { Outbox, Pending } from "./outbox.ts";

/** The parts of the store that its collections share. */
export interface MongoAccess {
  readonly calls: Calls;
  readonly outbox: Outbox;
  readonly collection: (name: CollectionName) => MongoCollectionHandle<MongoDocument>;
}

interface Update {
  readonly $set: Partial<MongoDocument>;
  readonly $unset?: Readonly<Record<string, "">>;
  readonly $push?: { readonly outbox: { readonly $each: OutboxEntry[] } };
}

/**
 * Documents of one kind in one collection. Each write is one compare-and-swap of one document. It
 * has an id of its own, which the document keeps, so that a writer that got no answer can tell
 * whether its write was made.
 */
export class MongoCollection<T extends { readonly name: string }> implements Collection<T> {
  protected readonly access: MongoAccess;
  protected readonly documents: MongoCollectionHandle<MongoDocument>;
  readonly #name: CollectionName;
  readonly #codec: Codec<T>;

  constructor(access: MongoAccess, name: CollectionName) {
    this.access = access;
    this.documents = access.collection(name);
    this.#name = name;
    this.#codec = CODECS[name] as unknown as Codec<T>;
  }

  async create(value: T, options: WriteOptions = {}): Promise<Stored<T>> {
    const { name } = value;
    const write = new Write(name, options);
    const document: MongoDocument = {
      _id: name,
      version: 1,
      write: write.id,
      ...this.#codec.encode(value),
      ...(write.entries.length > 0 && { outbox: write.entries }),
    };
    assertFits(name, document);
    return await this.#write(write, options, async (attempt) => {
      const outbox = await this.#insert(document, write, attempt);
      return { result: this.#codec.decode(document), outbox, version: 1 };
    });
  }

  async get(name: string, options: ReadOptions = {}): Promise<Stored<T> | undefined> {
    return await this.access.calls.read(options.signal, async (limits) => {
      return this.decoded(await this.documents.findOne({ _id: name }, limits));
    });
  }

  async list(query: ListQuery): Promise<Page<T>> {
    return await this.access.calls.read(query.signal, async (limits) => {
      const { filter, sort, hint } = pageQuery(query, INDEXES[this.#name]);
      const found = await this.documents.find(filter, {
        ...limits,
        projection: { outbox: 0 },
        sort,
        limit: query.limit + 1,
        batchSize: query.limit + 1,
        hint,
      }).toArray();
      const items = found.slice(0, query.limit).map((each) => this.#codec.decode(each));
      const last = items.at(-1);
      const more = found.length > query.limit && last;
      return { items, next: more ? cursorOf(last.value, query.orderBy ?? []) : null };
    });
  }

  async count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number> {
    const { hint } = pageQuery({ ...query, limit: 1 }, INDEXES[this.#name]);
    return await this.access.calls.read(
      query.signal,
      (limits) => this.documents.countDocuments(conditionQuery(query), { ...limits, hint }),
    );
  }

  async replace(value: T, version: number, options: WriteOptions = {}): Promise<Stored<T>> {
    const { name } = value;
    const write = new Write(name, options);
    const fields = { ...this.#codec.encode(value), version: version + 1 };
    assertFits(name, { ...fields, outbox: write.entries });
    // Where the outbox after the write is known, it need not be read: an outbox that is in the log
    // already, which the replacement removes, or none.
    const flushed = this.access.outbox.takeOver(this.#name, name, version);
    const plain: Query = flushed
      ? { _id: name, version, write: flushed }
      : { _id: name, version, deleted: { $exists: false }, outbox: { $exists: false } };
    const replacement: MongoDocument = {
      _id: name,
      ...fields,
      write: write.id,
      ...(write.entries.length > 0 && { outbox: write.entries }),
    };
    const update: Update = {
      $set: { ...fields, write: write.id },
      ...(fields.request === undefined && { $unset: { request: "" } }),
      ...write.push(),
    };
    return await this.#write(write, options, async (attempt) => {
      const replaced = attempt === 0 && await this.#replace(plain, replacement);
      if (attempt === 0 && !replaced) await this.#assertVersion(name, version, attempt);
      const outbox = replaced ? write.entries : await this.#swap(write, version, attempt, update);
      const result = this.#codec.decode({ _id: name, ...fields });
      return { result, outbox, version: result.version };
    });
  }

  async delete(name: string, version: number, options: WriteOptions = {}): Promise<void> {
    const write = new Write(name, options);
    await this.#write(write, options, async (attempt) => {
      if (write.entries.length === 0) {
        const { deletedCount } = await this.documents.deleteOne({
          _id: name,
          version,
          deleted: { $exists: false },
          outbox: { $exists: false },
        });
        if (deletedCount === 1) return { result: undefined, outbox: [] };
      }
      const outbox = await this.#swap(write, version, attempt, {
        $set: { deleted: true, write: write.id },
        $unset: { value: "", request: "" },
        // Also without events: the entry marks a tombstone that has to be removed.
        ...write.push({ always: true }),
      });
      return { result: undefined, outbox, deleted: true };
    });
  }

  async load(documents: readonly Stored<T>[]): Promise<void> {
    if (documents.length === 0) return;
    const operations = documents.map(({ value, version }) => {
      const replacement = { version, write: new ObjectId(), ...this.#codec.encode(value) };
      assertFits(value.name, replacement);
      return { replaceOne: { filter: { _id: value.name }, replacement, upsert: true } };
    });
    const { calls } = this.access;
    await calls.write(`${documents.length} documents`, undefined, async () => {
      await calls.retried(() => this.documents.bulkWrite(operations));
    });
  }

  /** Undefined for no document, and for a tombstone. */
  protected decoded(found: MongoDocument | null): Stored<T> | undefined {
    return found && !found.deleted ? this.#codec.decode(found) : undefined;
  }

  /** Makes a write, then appends the document's outbox to the log. */
  async #write<R>(
    write: Write,
    { signal }: WriteOptions,
    run: (attempt: number) => Promise<
      Pick<Pending, "outbox"> & {
        readonly result: R;
        readonly version?: number;
        readonly deleted?: true;
      }
    >,
  ): Promise<R> {
    const { calls, outbox } = this.access;
    const { name } = write;
    return await calls.write(name, signal, async () => {
      const requested = write.entries.length > 0 ? outbox.expect() : undefined;
      let result: R;
      let flushing: Promise<void>;
      try {
        const made = await calls.retried(run, signal);
        const { version, deleted = false } = made;
        const flushed = version === undefined ? undefined : { version, write: write.id };
        result = made.result;
        flushing = outbox.flush(this.#name, {
          name,
          outbox: made.outbox,
          deleted,
          ...(flushed && { flushed }),
        });
      } finally {
        requested?.();
      }
      try {
        await flushing;
      } catch (error) {
        // The document was written, so that nothing but this may be said.
        throw outcomeUnknown(name, error);
      }
      return result;
    });
  }

  /** Adds a document, also in the place of a tombstone, whose events come first. */
  async #insert(
    document: MongoDocument,
    write: Write,
    attempt: number,
  ): Promise<readonly OutboxEntry[]> {
    const { _id, request } = document;
    for (;;) {
      try {
        await this.documents.insertOne(document);
        return write.entries;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      const made = await this.#made(write, attempt);
      if (made) return made;
      const found = await this.documents.findOne({ _id }, { projection: { deleted: 1 } });
      if (found && !found.deleted) {
        // After a lost answer it may be what an earlier attempt made, and somebody else changed.
        throw attempt > 0 ? outcomeUnknown(_id, undefined) : nameTaken(_id);
      }
      if (found) {
        const { outbox: _, _id: __, ...fields } = document;
        const revived = await this.#update({ _id, deleted: true }, {
          $set: fields,
          $unset: { deleted: "" },
          ...write.push(),
        });
        if (revived) return revived;
      } else if (request !== undefined && await this.documents.findOne({ request }, ONLY_NAME)) {
        throw requestIdTaken(requestIdOf(request));
      }
      // The document or the operation that was in the way is gone.
    }
  }

  /**
   * Changes a document if it has the version.
   * @throws `NO_SUCH_DOCUMENT`, `VERSION_CONFLICT`, `REQUEST_ID_TAKEN`
   */
  async #swap(
    write: Write,
    version: number,
    attempt: number,
    update: Update,
  ): Promise<readonly OutboxEntry[]> {
    const { name } = write;
    const outbox = await this.#made(write, attempt) ??
      await this.#update({ _id: name, version, deleted: { $exists: false } }, update);
    if (outbox) return outbox;
    await this.#assertVersion(name, version, attempt);
    // Another writer has put the version there meanwhile, by deleting the document and adding it again.
    throw versionConflict(name, version, version);
  }

  /**
   * Finds out why a write did not find its version.
   * @throws `NO_SUCH_DOCUMENT`, `VERSION_CONFLICT`
   */
  async #assertVersion(name: string, version: number, attempt: number): Promise<void> {
    const found = await this.documents.findOne({ _id: name }, {
      projection: { version: 1, deleted: 1 },
    });
    const gone = !found || found.deleted === true;
    // After an attempt whose answer was lost, somebody else may have changed what it made.
    if (attempt > 0 && (gone || found.version > version)) throw outcomeUnknown(name, undefined);
    if (gone) throw noSuchDocument(name);
    if (found.version !== version) throw versionConflict(name, version, found.version);
  }

  /** Whether a document matched and was replaced. */
  async #replace(filter: Query, replacement: MongoDocument): Promise<boolean> {
    const { request } = replacement;
    return await this.#unlessRequestTaken(request, async () => {
      const { matchedCount } = await this.documents.replaceOne(filter, replacement);
      return matchedCount === 1;
    });
  }

  /** The outbox after an update; undefined if no document matches. */
  async #update(filter: Query, update: Update): Promise<readonly OutboxEntry[] | undefined> {
    return await this.#unlessRequestTaken(update.$set.request, async () => {
      const found = await this.documents.findOneAndUpdate(filter, update, {
        projection: { outbox: 1 },
        returnDocument: "after",
      });
      return found ? found.outbox ?? [] : undefined;
    });
  }

  /** @throws `REQUEST_ID_TAKEN` */
  async #unlessRequestTaken<R>(request: string | undefined, write: () => Promise<R>): Promise<R> {
    try {
      return await write();
    } catch (error) {
      if (!isDuplicate(error) || request === undefined) throw error;
      throw requestIdTaken(requestIdOf(request));
    }
  }

  /** The outbox after a write that an earlier attempt has made; undefined if none has. */
  async #made(write: Write, attempt: number): Promise<readonly OutboxEntry[] | undefined> {
    if (attempt === 0) return undefined;
    const found = await this.documents.findOne({ _id: write.name }, {
      projection: { write: 1, outbox: 1 },
    });
    const outbox = found?.outbox ?? [];
    if (found?.write.equals(write.id)) return outbox;
    if (write.entries.length === 0) return undefined;
    // Others may have changed or removed the document since; its events tell.
    const pending = outbox.some(({ id }) => id.equals(write.id));
    return pending || await this.access.outbox.isOut(write.id) ? outbox : undefined;
  }
}

const ONLY_NAME = { projection: { _id: 1 } } as const;

const requestIdOf = (request: string): string => JSON.parse(request)[1];

/** One write, with an id that no other write has. */
class Write {
  readonly id = new ObjectId();
  readonly name: string;
  /** What the write adds to the outbox; empty without events. */
  readonly entries: readonly OutboxEntry[];

  constructor(name: string, { events = [] }: WriteOptions) {
    this.name = name;
    this.entries = events.length > 0 ? [{ id: this.id, events: events.map(encodeEvent) }] : [];
  }

  /** @param options.always whether to add an entry without events too */
  push({ always = false } = {}): Pick<Update, "$push"> {
    const entries = always && this.entries.length === 0
      ? [{ id: this.id, events: [] }]
      : this.entries;
    return entries.length > 0 ? { $push: { outbox: { $each: [...entries] } } } : {};
  }
}
