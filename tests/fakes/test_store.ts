/**
 * The store of suites in fake time: in memory, or where `MPC_TEST_STORE` says: `sqlite:` for files
 * of their own, or the address of a MongoDB server, where each store gets a database of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Collection, Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openStore } from "@mpc/storage/open_store";
import { duringIo } from "./fake_clock.ts";

/** Opens an empty store. */
export async function openTestStore(): Promise<Store> {
  const where = Deno.env.get("MPC_TEST_STORE") ?? "memory:";
  // Gaps between sequences show that nothing relies on dense ones.
  if (where === "memory:") return openMemoryStore({ sequenceStep: 3 });
  if (where === "sqlite:") {
    const folder = await mkdtemp(join(tmpdir(), "mpc-store-"));
    const store = await openStore(`sqlite:${join(folder, "mpc.db")}`);
    return observed(store, () => rm(folder, { recursive: true }));
  }
  const address = new URL(where);
  address.pathname = `/mpc_test_${crypto.randomUUID().slice(0, 13)}`;
  const store = await openStore(address.href);
  return observed(store, async () => {
    const { MongoClient } = await import("mongodb");
    const client = new MongoClient(address.href);
    await client.db().dropDatabase();
    await client.close();
  });
}

/** A store whose calls fake time waits for. */
function observed(store: Store, remove: () => Promise<void>): Store {
  const collection = <T extends { readonly name: string }>(
    observed: Collection<T>,
  ): Collection<T> => ({
    create: (...call) => duringIo(observed.create(...call)),
    replace: (...call) => duringIo(observed.replace(...call)),
    delete: (...call) => duringIo(observed.delete(...call)),
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
    operations: {
      ...collection(operations),
      findByRequestId: (...call) => duringIo(operations.findByRequestId(...call)),
    },
    events: {
      append: (...call) => duringIo(events.append(...call)),
      compactBefore: (...call) => duringIo(events.compactBefore(...call)),
      head: (...call) => duringIo(events.head(...call)),
      read: (...call) => duringIo(events.read(...call)),
      tail: (...call) => events.tail(...call),
      follow: (...call) => events.follow(...call),
    },
    close() {
      closed ??= store.close().then(remove);
      return closed;
    },
  };
}
