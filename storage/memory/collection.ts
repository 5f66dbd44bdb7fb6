import { compareStrings, matches, type NewEvent, type OrderKey } from "@mpc/domain";
import { nameTaken, noSuchDocument, throwIfAborted, versionConflict } from "../shared/errors.ts";
import { compareCursors, cursorOf } from "../shared/order.ts";
import type {
  Collection,
  Cursor,
  ListQuery,
  Page,
  ReadOptions,
  Stored,
  WriteOptions,
} from "../store.ts";
import { SortedIndex } from "./sorted_index.ts";

/** The part of the store that a collection needs. */
export interface MemoryCommit {
  /** @throws `UNAVAILABLE` where the store is closed */
  assertOpen(): void;
  /** Completes one write with its events. */
  commit(events: readonly NewEvent[] | undefined): void;
}

interface Index {
  readonly orderBy: readonly OrderKey[];
  readonly places: SortedIndex<Cursor>;
}

/** How many sort orders besides that by name have an index; the least recently used is dropped. */
const MAX_INDEXES = 8;

/** Documents of a prefix that are fewer than one in so many are sorted when they are asked for. */
const FEW = 8;

/** Comes after every name that begins with the same prefix: names are ASCII. */
const AFTER_ALL = "\u{7f}";

/** Documents in a map, with an index for each sort order that was requested. */
export class MemoryCollection<T extends { readonly name: string }> implements Collection<T> {
  readonly #documents = new Map<string, Stored<T>>();
  readonly #store: MemoryCommit;
  readonly #byName: Index = newIndex([], []);
  readonly #byKeys = new Map<string, Index>();

  constructor(store: MemoryCommit) {
    this.#store = store;
  }

  async create(value: T, options: WriteOptions = {}): Promise<Stored<T>> {
    await this.#begin(options);
    if (this.#documents.has(value.name)) throw nameTaken(value.name);
    this.checkUnique(value);
    return this.#put({ value, version: 1 }, options);
  }

  async get(name: string, options: ReadOptions = {}): Promise<Stored<T> | undefined> {
    return await this.read(options, () => this.stored(name));
  }

  async list(query: ListQuery): Promise<Page<T>> {
    return await this.read(query, () => {
      const items: Stored<T>[] = [];
      let last: Cursor | null = null;
      for (const [place, stored] of this.#matching(query)) {
        if (items.length === query.limit) return { items, next: last };
        items.push(stored);
        last = place;
      }
      return { items, next: null };
    });
  }

  async count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number> {
    return await this.read(query, () => {
      if (!query.prefix && !query.filter) return this.#documents.size;
      let count = 0;
      for (const _ of this.#matching(query)) count++;
      return count;
    });
  }

  async replace(value: T, version: number, options: WriteOptions = {}): Promise<Stored<T>> {
    await this.#begin(options);
    this.#assertVersion(value.name, version);
    return this.#put({ value, version: version + 1 }, options);
  }

  async delete(name: string, version: number, options: WriteOptions = {}): Promise<void> {
    await this.#begin(options);
    const { value } = this.#assertVersion(name, version);
    this.#documents.delete(name);
    this.changed(value, undefined);
    this.#store.commit(options.events);
  }

  async load(documents: readonly Stored<T>[]): Promise<void> {
    await this.#begin({});
    for (const stored of documents) this.#put(stored, {});
  }

  /** Checks values that must be unique besides the name. */
  protected checkUnique(_value: T): void {}

  /** Updates the indexes after a document was created, replaced or deleted. */
  protected changed(before: T | undefined, after: T | undefined): void {
    for (const { orderBy, places } of [this.#byName, ...this.#byKeys.values()]) {
      const [old, now] = [before && cursorOf(before, orderBy), after && cursorOf(after, orderBy)];
      if (old && now && compareCursors(old, now, orderBy) === 0) continue;
      if (old) places.remove(old);
      if (now) places.add(now);
    }
  }

  /** The document itself, not a copy. */
  protected stored(name: string | undefined): Stored<T> | undefined {
    return name === undefined ? undefined : this.#documents.get(name);
  }

  /** Returns a copy of the result of `query`. */
  protected async read<R>(options: ReadOptions, query: () => R): Promise<R> {
    await this.#begin(options);
    return structuredClone(query());
  }

  /** A read yields to the event loop, like a read of a remote store. */
  async #begin({ signal }: ReadOptions): Promise<void> {
    this.#store.assertOpen();
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    this.#store.assertOpen();
  }

  #put(stored: Stored<T>, { events }: WriteOptions): Stored<T> {
    const before = this.#documents.get(stored.value.name)?.value;
    const kept = structuredClone(stored);
    this.#documents.set(kept.value.name, kept);
    this.changed(before, kept.value);
    this.#store.commit(events);
    return structuredClone(stored);
  }

  #assertVersion(name: string, version: number): Stored<T> {
    const found = this.#documents.get(name);
    if (!found) throw noSuchDocument(name);
    if (found.version !== version) throw versionConflict(name, version, found.version);
    return found;
  }

  /** Walks the documents of a query in order, and reads no more of them than the caller takes. */
  *#matching(
    { prefix = "", filter, orderBy = [], after }: Omit<ListQuery, "limit">,
  ): Generator<readonly [Cursor, Stored<T>], void> {
    const byName = orderBy.length === 0;
    // In the order of names a prefix is a range, which begins at the prefix and ends at the first
    // name without it.
    const fromPrefix = byName && prefix !== "" &&
      (!after || compareStrings(after.name, prefix) < 0);
    const start = fromPrefix ? { keys: [], name: prefix } : after;
    const index = !byName && this.#isFew(prefix)
      ? newIndex([...this.#withPrefix(prefix)], orderBy)
      : this.#index(orderBy);
    for (const place of index.places.from(start, fromPrefix)) {
      if (!place.name.startsWith(prefix)) {
        if (byName) return;
        continue;
      }
      const stored = this.#documents.get(place.name)!;
      if (!filter || matches(filter, stored.value)) yield [place, stored];
    }
  }

  /** Whether a walk of the prefix's documents is much shorter than one of all in another order. */
  #isFew(prefix: string): boolean {
    const { places } = this.#byName;
    const [first, end] = [prefix, prefix + AFTER_ALL].map((name) =>
      places.countBefore({ keys: [], name })
    );
    return (end! - first!) * FEW < places.size;
  }

  *#withPrefix(prefix: string): Generator<Stored<T>, void> {
    for (const { name } of this.#byName.places.from({ keys: [], name: prefix }, true)) {
      if (!name.startsWith(prefix)) return;
      yield this.#documents.get(name)!;
    }
  }

  #index(orderBy: readonly OrderKey[]): Index {
    if (orderBy.length === 0) return this.#byName;
    const key = JSON.stringify(orderBy.map(({ path, descending }) => [path, descending]));
    const index = this.#byKeys.get(key) ?? newIndex([...this.#documents.values()], orderBy);
    this.#byKeys.delete(key);
    this.#byKeys.set(key, index);
    const [leastRecent] = this.#byKeys.keys();
    if (this.#byKeys.size > MAX_INDEXES && leastRecent !== undefined) {
      this.#byKeys.delete(leastRecent);
    }
    return index;
  }
}

function newIndex(
  documents: readonly Stored<{ readonly name: string }>[],
  orderBy: readonly OrderKey[],
): Index {
  const places = documents.map(({ value }) => cursorOf(value, orderBy));
  return {
    orderBy,
    places: new SortedIndex(places, (a, b) => compareCursors(a, b, orderBy)),
  };
}
