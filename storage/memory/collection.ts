import type { NewEvent } from "@mpc/domain";
import { nameTaken, noSuchDocument, throwIfAborted, versionConflict } from "../shared/errors.ts";
import { matches } from "../shared/matches.ts";
import { pageOf } from "../shared/order.ts";
import type { Collection, ListQuery, Page, ReadOptions, Stored, WriteOptions } from "../store.ts";

/** What a collection needs of the store it is part of. */
export interface MemoryCommit {
  /** @throws `UNAVAILABLE` where the store is closed */
  assertOpen(): void;
  /** Makes one write with its events. */
  commit(events: readonly NewEvent[] | undefined): void;
}

/** Documents in a map. Copies in and out, aborts and conflicts like the durable stores. */
export class MemoryCollection<T extends { readonly name: string }> implements Collection<T> {
  protected readonly documents = new Map<string, Stored<T>>();
  readonly #store: MemoryCommit;

  constructor(store: MemoryCommit) {
    this.#store = store;
  }

  async create(value: T, options: WriteOptions = {}): Promise<Stored<T>> {
    await this.#begin(options);
    if (this.documents.has(value.name)) throw nameTaken(value.name);
    this.checkUnique(value);
    return this.#put({ value, version: 1 }, options);
  }

  async get(name: string, options: ReadOptions = {}): Promise<Stored<T> | undefined> {
    await this.#begin(options);
    return structuredClone(this.documents.get(name));
  }

  async list(query: ListQuery): Promise<Page<T>> {
    await this.#begin(query);
    const page = pageOf(this.#matching(query), (stored) => stored.value, query);
    return structuredClone(page);
  }

  async count(query: Pick<ListQuery, "prefix" | "filter" | "signal">): Promise<number> {
    await this.#begin(query);
    return this.#matching(query).length;
  }

  async replace(value: T, version: number, options: WriteOptions = {}): Promise<Stored<T>> {
    await this.#begin(options);
    this.#assertVersion(value.name, version);
    return this.#put({ value, version: version + 1 }, options);
  }

  async delete(name: string, version: number, options: WriteOptions = {}): Promise<void> {
    await this.#begin(options);
    this.#assertVersion(name, version);
    this.documents.delete(name);
    this.#store.commit(options.events);
  }

  /** Checks what must be unique besides the name. */
  protected checkUnique(_value: T): void {}

  /** Reads take a turn, like those of a store that is elsewhere. */
  async #begin({ signal }: ReadOptions): Promise<void> {
    this.#store.assertOpen();
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    this.#store.assertOpen();
  }

  #put(stored: Stored<T>, { events }: WriteOptions): Stored<T> {
    this.documents.set(stored.value.name, structuredClone(stored));
    this.#store.commit(events);
    return structuredClone(stored);
  }

  #assertVersion(name: string, version: number): void {
    const found = this.documents.get(name);
    if (!found) throw noSuchDocument(name);
    if (found.version !== version) throw versionConflict(name, version, found.version);
  }

  #matching({ prefix = "", filter }: Pick<ListQuery, "prefix" | "filter">): Stored<T>[] {
    return [...this.documents.values()].filter(({ value }) =>
      value.name.startsWith(prefix) && (!filter || matches(filter, value))
    );
  }
}
