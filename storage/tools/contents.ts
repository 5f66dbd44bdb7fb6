import { createHash, type Hash } from "node:crypto";
import canonicalize from "canonicalize";
import { type Event, isMpcError } from "@mpc/domain";
import type { Collection, Cursor, EventLog, Store, Stored } from "../store.ts";
import { type CollectionName, COLLECTIONS, withCollections } from "./collections.ts";

/** How many documents or events are read at once. */
const PAGE = 500;

/** What a collection or a log holds. */
export interface Digest {
  readonly count: number;
  /** SHA-256 in hex over names, versions and contents, in order: the same in every adapter. */
  readonly checksum: string;
}

/** What a store holds, by the names of its parts. */
export type Contents = Readonly<Record<CollectionName | "events", Digest>>;

/** Reads a whole store. */
export async function contentsOf(store: Store): Promise<Contents> {
  const digests: Partial<Record<keyof Contents, Digest>> = {};
  for (const name of COLLECTIONS) {
    // Marking a copy as unfinished changes the version of its installation.
    const versions = name !== "installations";
    digests[name] = await withCollections(name, store, store, (it) => digestOf(it, versions));
  }
  return { ...digests, events: await digestEvents(store.events) } as Contents;
}

/** Yields the documents after a name, in the order of names. */
export async function* documentsOf<T extends { readonly name: string }>(
  collection: Collection<T>,
  from?: string,
): AsyncGenerator<readonly Stored<T>[]> {
  let after: Cursor | undefined = from === undefined ? undefined : { keys: [], name: from };
  for (;;) {
    const page = await collection.list({ limit: PAGE, ...(after && { after }) });
    if (page.items.length > 0) yield page.items;
    if (page.next === null) return;
    after = page.next;
  }
}

/** Yields the events after a sequence. */
export async function* eventsOf(log: EventLog, from: number): AsyncGenerator<readonly Event[]> {
  for (let after = from;;) {
    const events = await log.read(after, PAGE);
    if (events.length === 0) return;
    yield events;
    after = events.at(-1)!.sequence;
  }
}

/** Up to which sequence a log has removed its events; 0 if it has all of them. */
export async function compactedOf(log: EventLog): Promise<number> {
  try {
    await log.read(0, 1);
    return 0;
  } catch (error) {
    if (!isMpcError(error, "OUT_OF_RANGE")) throw error;
    return Number(error.metadata["compacted"]);
  }
}

async function digestOf<T extends { readonly name: string }>(
  collection: Collection<T>,
  versions: boolean,
): Promise<Digest> {
  const digest = new RunningDigest();
  for await (const documents of documentsOf(collection)) {
    for (const { value, version } of documents) digest.add([versions && version, value]);
  }
  return digest.end();
}

/** The digest of all events, and of the sequence up to which they were removed. */
async function digestEvents(log: EventLog): Promise<Digest> {
  const digest = new RunningDigest();
  const compacted = await compactedOf(log);
  for await (const events of eventsOf(log, compacted)) events.forEach((it) => digest.add(it));
  return digest.end({ compacted, head: await log.head() });
}

/** Canonical JSON (RFC 8785), because adapters may keep the keys of objects in another order. */
class RunningDigest {
  readonly #hash: Hash = createHash("sha256");
  #count = 0;

  add(value: unknown): void {
    this.#count++;
    this.#update(value);
  }

  end(rest?: unknown): Digest {
    if (rest !== undefined) this.#update(rest);
    return { count: this.#count, checksum: this.#hash.digest("hex") };
  }

  #update(value: unknown): void {
    this.#hash.update(canonicalize(value) ?? "");
    this.#hash.update("\n");
  }
}
