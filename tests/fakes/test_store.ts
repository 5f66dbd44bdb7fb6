/**
 * The store of suites in fake time: in memory, or where `MPC_TEST_STORE` says: `sqlite:` for files
 * of their own, or the address of a MongoDB server, where each store gets a database of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event, NewEvent } from "@mpc/domain";
import type { Collection, Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openStore } from "@mpc/storage/open_store";
import { duringIo } from "./fake_clock.ts";

const where = (): string => Deno.env.get("MPC_TEST_STORE") ?? "memory:";

/** The kind of the store, as the server names it. */
export const testStorage = (): string => where().replace(/:.*/, "");

export interface TestStorePlace {
  readonly address: string;
  /** Removes what was stored there, once the store is closed. */
  remove(): Promise<void>;
}

/** The address of an empty store, for tests that open it themselves. */
export async function newTestStorePlace(): Promise<TestStorePlace> {
  const given = where();
  if (given === "memory:") return { address: given, remove: () => Promise.resolve() };
  if (given === "sqlite:") {
    const folder = await mkdtemp(join(tmpdir(), "mpc-store-"));
    return {
      address: `sqlite:${join(folder, "mpc.db")}`,
      remove: () => rm(folder, { recursive: true }),
    };
  }
  const address = new URL(given);
  address.pathname = `/mpc_test_${crypto.randomUUID().slice(0, 13)}`;
  return {
    address: address.href,
    async remove() {
      const { MongoClient } = await import("mongodb");
      const client = new MongoClient(address.href);
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

/** Opens an empty store. */
export async function openTestStore(): Promise<Store> {
  const { address, remove } = await newTestStorePlace();
  // Gaps between sequences show that nothing relies on dense ones.
  if (address === "memory:") return openMemoryStore({ sequenceStep: 3 });
  return observed(await openStore(address), remove);
}

/**
 * A store whose calls fake time waits for, and the delivery of its events. Only this handle may
 * write, and the sequences of its events are dense.
 */
function observed(store: Store, remove: () => Promise<void>): Store {
  let written = 0;
  const waiting = new Set<{ readonly position: number; readonly next: Promise<unknown> }>();
  const deliver = () => {
    for (const { position, next } of waiting) if (position < written) duringIo(next);
  };
  const writing = <R>(call: Promise<R>, events: readonly NewEvent[] = []): Promise<R> =>
    duringIo(call.then((result) => {
      written += events.length;
      deliver();
      return result;
    }));
  async function* delivered<T>(items: AsyncIterable<T>, after: number, lastOf: (item: T) => Event) {
    let position = after;
    const iterator = items[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = iterator.next();
        const follower = { position, next };
        waiting.add(follower);
        deliver();
        const item = await next.finally(() => waiting.delete(follower));
        if (item.done) return;
        position = lastOf(item.value).sequence;
        yield item.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  const collection = <T extends { readonly name: string }>(
    observed: Collection<T>,
  ): Collection<T> => ({
    create: (value, options) => writing(observed.create(value, options), options?.events),
    replace: (value, version, options) =>
      writing(observed.replace(value, version, options), options?.events),
    delete: (name, version, options) =>
      writing(observed.delete(name, version, options), options?.events),
    get: (...call) => duringIo(observed.get(...call)),
    list: (...call) => duringIo(observed.list(...call)),
    count: (...call) => duringIo(observed.count(...call)),
  });
  const { events, operations } = store;
  let closed: Promise<void> | undefined;
  return {
    environments: collection(store.environments),
    workloads: collection(store.workloads),
    revisions: collection(store.revisions),
    orphans: collection(store.orphans),
    installations: collection(store.installations),
    claims: collection(store.claims),
    leases: collection(store.leases),
    tokens: collection(store.tokens),
    audit: {
      ...collection(store.audit),
      append: (records) => duringIo(store.audit.append(records)),
    },
    auditMarks: collection(store.auditMarks),
    eventSinks: collection(store.eventSinks),
    deadLetters: collection(store.deadLetters),
    operations: {
      ...collection(operations),
      findByRequestId: (...call) => duringIo(operations.findByRequestId(...call)),
    },
    events: {
      append: (added, options) => writing(events.append(added, options), added),
      compactBefore: (...call) => duringIo(events.compactBefore(...call)),
      head: (...call) => duringIo(events.head(...call)),
      read: (...call) => duringIo(events.read(...call)),
      tail: (after, signal) => delivered(events.tail(after, signal), after, (event) => event),
      follow: (after, signal) =>
        delivered(events.follow(after, signal), after, (batch) => batch.at(-1)!),
    },
    close() {
      closed ??= store.close().then(remove);
      return closed;
    },
  };
}
