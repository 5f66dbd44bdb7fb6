import { INSTALLATION, isMpcError } from "@mpc/domain";
import type { Collection, Store, Stored } from "../store.ts";
import { admitKeys } from "../shared/admit_keys.ts";
import type { KeyRing } from "../shared/key_ring.ts";
import {
  keyIdOf,
  openDocument,
  sealDocument,
  SECRET_COLLECTIONS,
  type SecretCollection,
  secretsOf,
} from "../shared/secret_values.ts";
import { withCollections } from "./collections.ts";
import { documentsOf } from "./contents.ts";

/** Counts secret values by the id of their key; `plain` are those that are not encrypted. */
export type SecretCounts = Readonly<Record<string, number>>;

export interface RewrapReport {
  /** How many documents this run has encrypted. */
  readonly rewritten: number;
  /** Of all values, afterwards. */
  readonly secrets: SecretCounts;
  /** Keys that nothing in the store needs any more. */
  readonly retired: readonly string[];
}

export interface RewrapOptions {
  /** Not decorated. Servers may use it meanwhile. */
  readonly store: Store;
  readonly keys: KeyRing;
  /** Is called after each page with the number of documents read and rewritten. */
  readonly onProgress?: (read: number, rewritten: number) => void;
}

/**
 * Encrypts every secret value by the first key that is not yet. Documents are replaced by
 * compare-and-swap, so servers may run, if they have all keys; an interrupted run is continued by the
 * next. Each rewritten document gets a new version, and with it a new etag.
 * @throws {MpcError} FAILED_PRECONDITION `ENCRYPTION_KEY_WRONG`; the errors of the store
 */
export async function rewrapStore(options: RewrapOptions): Promise<RewrapReport> {
  const { store, keys, onProgress = () => {} } = options;
  await admitKeys(store, keys);
  let [read, rewritten] = [0, 0];
  for (const name of SECRET_COLLECTIONS) {
    await withCollections(name, store, store, async (collection) => {
      for await (const documents of documentsOf(collection)) {
        for (const stored of documents) {
          if (await rewrap(collection, name, stored, keys)) rewritten++;
        }
        read += documents.length;
        onProgress(read, rewritten);
      }
    });
  }
  const secrets = await countSecrets(store);
  return { rewritten, secrets, retired: await retireKeys(store, keys, secrets) };
}

/** Counts the secret values of a store that is not decorated, by their keys. */
export async function countSecrets(store: Store): Promise<SecretCounts> {
  const counts: Record<string, number> = {};
  for (const name of SECRET_COLLECTIONS) {
    await withCollections(name, store, store, async (collection) => {
      for await (const documents of documentsOf(collection)) {
        for (const { value } of documents) {
          for (const secret of secretsOf(name, value)) {
            const key = keyIdOf(secret.value) ?? "plain";
            counts[key] = (counts[key] ?? 0) + 1;
          }
        }
      }
    });
  }
  return counts;
}

/** @returns whether this call has rewritten it */
async function rewrap<T extends { readonly name: string }>(
  collection: Collection<T>,
  name: SecretCollection,
  stored: Stored<T>,
  keys: KeyRing,
): Promise<boolean> {
  for (let current: Stored<T> | undefined = stored; current;) {
    const secrets = secretsOf(name, current.value);
    if (secrets.every(({ value }) => keyIdOf(value) === keys.first)) return false;
    try {
      const opened = await openDocument(name, current.value, keys);
      await collection.replace(await sealDocument(name, opened, keys), current.version);
      return true;
    } catch (error) {
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
      // A server has changed or deleted it.
      current = await collection.get(current.value.name);
    }
  }
  return false;
}

/** Removes keys that no value is encrypted by from the store's list. */
async function retireKeys(
  store: Store,
  keys: KeyRing,
  secrets: SecretCounts,
): Promise<readonly string[]> {
  const installation = await store.installations.get(INSTALLATION);
  const { encryptionKeys: listed = [] } = installation?.value ?? {};
  const needed = listed.filter((id) => id === keys.first || Object.hasOwn(secrets, id));
  if (!installation || needed.length === listed.length) return [];
  const value = { ...installation.value, encryptionKeys: needed };
  await store.installations.replace(value, installation.version);
  return listed.filter((id) => !needed.includes(id));
}
