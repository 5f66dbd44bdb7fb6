import type { Collection, Store, Stored, WriteOptions } from "../store.ts";
import type { KeyRing } from "../shared/key_ring.ts";
import {
  escapeDocument,
  openDocument,
  sealDocument,
  type SecretCollection,
} from "../shared/secret_values.ts";

export { admitKeys } from "../shared/admit_keys.ts";
export { KeyRing } from "../shared/key_ring.ts";

/**
 * Decorates a store of any kind so that it keeps secret values encrypted: the values of variables and
 * of charts in workloads, revisions and operations, and hashes over them. Everything else stays
 * readable, since stores filter and sort by it; so does how long all values of a document are. Events
 * have no secret values.
 *
 * Values that are not encrypted yet are read as they are. Besides the errors of the port, reads fail
 * with `FAILED_PRECONDITION` `ENCRYPTION_KEY_MISSING` or `ENCRYPTION_KEY_WRONG` where another process
 * encrypts by a key that this one does not have, and with `DATA_LOSS` `STORE_CORRUPT` where an
 * encrypted value was changed, or moved to another document or field.
 * @param keys null to encrypt nothing
 */
export function encryptedStore(store: Store, keys: KeyRing | null): Store {
  const operations = encryptedCollection(store.operations, "operations", keys);
  return {
    ...store,
    workloads: encryptedCollection(store.workloads, "workloads", keys),
    revisions: encryptedCollection(store.revisions, "revisions", keys),
    operations: {
      ...operations,
      async findByRequestId(...call) {
        const found = await store.operations.findByRequestId(...call);
        return found && opened("operations", found, keys);
      },
    },
  };
}

function encryptedCollection<T extends { readonly name: string }>(
  inner: Collection<T>,
  collection: SecretCollection,
  keys: KeyRing | null,
): Collection<T> {
  const open = (stored: Stored<T>) => opened(collection, stored, keys);
  /** Values and events are copied before the call returns, as the port promises. */
  const write = async (
    value: T,
    options: WriteOptions | undefined,
    store: (value: T, options?: WriteOptions) => Promise<Stored<T>>,
  ): Promise<Stored<T>> => {
    if (!keys) return await open(await store(escapeDocument(collection, value), options));
    const { events } = options ?? {};
    const copied = { ...options, ...(events && { events: structuredClone(events) }) };
    const sealed = await sealDocument(collection, structuredClone(value), keys);
    return await open(await store(sealed, copied));
  };
  return {
    create: (value, options) => write(value, options, (...call) => inner.create(...call)),
    async get(...call) {
      const found = await inner.get(...call);
      return found && open(found);
    },
    async list(query) {
      const page = await inner.list(query);
      return { ...page, items: await Promise.all(page.items.map(open)) };
    },
    count: (query) => inner.count(query),
    replace: (value, version, options) =>
      write(value, options, (sealed, copied) => inner.replace(sealed, version, copied)),
    delete: (...call) => inner.delete(...call),
  };
}

const opened = async <T extends { readonly name: string }>(
  collection: SecretCollection,
  { value, version }: Stored<T>,
  keys: KeyRing | null,
): Promise<Stored<T>> => ({ value: await openDocument(collection, value, keys), version });
