import { INSTALLATION, type Installation, MpcError, type OperationState } from "@mpc/domain";
import type { Collection, Store, Stored } from "../store.ts";
import { type CollectionName, COLLECTIONS, withCollections } from "./collections.ts";
import { compactedOf, type Contents, contentsOf, documentsOf, eventsOf } from "./contents.ts";
import { loadDocuments, loadEvents } from "./load.ts";

export interface CopyReport {
  /** What both stores hold now. */
  readonly contents: Contents;
  /** How many documents and events this run copied; the others were there from an earlier run. */
  readonly copied: number;
}

export interface CopyOptions {
  /** Nothing may change it meanwhile. */
  readonly from: Store;
  /** Empty, or left by a copy of the same store that was interrupted. */
  readonly to: Store;
  /** Is called after each page. */
  readonly onProgress?: (part: CollectionName | "events", copied: number) => void;
}

const LIVE: readonly OperationState[] = ["PENDING", "RUNNING", "CANCELLING"];

/**
 * Copies everything that a store holds into another one, with versions and sequences, so that etags
 * and resume tokens stay valid, and compares both by count and checksum. A copy that is interrupted
 * goes on where it was; until it is complete, no platform starts on the target.
 * @throws {MpcError} FAILED_PRECONDITION `OPERATIONS_RUNNING`, `STORE_MISSING`, `STORE_NOT_EMPTY` or
 *   `STORE_NOT_LOADABLE`; DATA_LOSS `COPY_DIFFERS`; the errors of both stores
 */
export async function copyStore(options: CopyOptions): Promise<CopyReport> {
  const { from, to, onProgress = () => {} } = options;
  await assertIdle(from);
  const installation = await from.installations.get(INSTALLATION);
  if (!installation) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_MISSING",
      message: "Cannot copy the store: no platform has ever used it",
    });
  }
  if (await begin(to, installation)) return { contents: await assertSame(from, to), copied: 0 };
  let copied = 0;
  const add = (part: keyof Contents) => (count: number) => {
    copied += count;
    onProgress(part, copied);
  };
  for (const name of COLLECTIONS) {
    if (name === "installations") continue;
    await withCollections(name, from, to, (one, other) => copyCollection(one, other, add(name)));
  }
  await copyEvents(options, add("events"));
  await assertIdle(from);
  await putInstallation(to, installation);
  try {
    return { contents: await assertSame(from, to), copied };
  } catch (error) {
    await putInstallation(to, unfinished(installation));
    throw error;
  }
}

/**
 * Marks a new target as unfinished.
 * @returns whether it is a complete copy already
 */
async function begin(to: Store, installation: Stored<Installation>): Promise<boolean> {
  const found = await to.installations.get(INSTALLATION);
  if (found?.value.id === installation.value.id) return found.value.incomplete !== true;
  if (found || !await isEmpty(to)) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_NOT_EMPTY",
      message: "Cannot copy into the store: it is not empty, and holds no part of this copy",
    });
  }
  await putInstallation(to, unfinished(installation));
  return false;
}

/** Its version tells nobody anything. */
async function putInstallation(
  { installations }: Store,
  { value }: Stored<Installation>,
): Promise<void> {
  const found = await installations.get(value.name);
  if (found) await installations.replace(value, found.version);
  else await installations.create(value);
}

const unfinished = ({ value, version }: Stored<Installation>): Stored<Installation> => ({
  value: { ...value, incomplete: true },
  version,
});

async function isEmpty(store: Store): Promise<boolean> {
  for (const name of COLLECTIONS) {
    if (await withCollections(name, store, store, (it) => it.count({})) > 0) return false;
  }
  return await store.events.head() === 0;
}

/** @throws {MpcError} FAILED_PRECONDITION `OPERATIONS_RUNNING` */
async function assertIdle({ operations }: Store): Promise<void> {
  const filter = {
    op: "or" as const,
    terms: LIVE.map((value) => ({ op: "=" as const, path: ["state"], value })),
  };
  const { items: [first] } = await operations.list({ filter, limit: 1 });
  if (!first) return;
  const count = await operations.count({ filter });
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "OPERATIONS_RUNNING",
    message:
      `Cannot copy the store: ${count} operations have not ended, such as '${first.value.name}'`,
    metadata: { operation: first.value.name },
  });
}

/**
 * Documents are loaded in the order of names, so those of an earlier run are the first. Without
 * loading, an earlier run may have left any of them unfinished.
 */
async function copyCollection<T extends { readonly name: string }>(
  from: Collection<T>,
  to: Collection<T>,
  copied: (count: number) => void,
): Promise<void> {
  const byName = [{ path: ["name"], descending: true }];
  const [last] = to.load ? (await to.list({ orderBy: byName, limit: 1 })).items : [];
  for await (const documents of documentsOf(from, last?.value.name)) {
    await loadDocuments(to, documents);
    copied(documents.length);
  }
}

async function copyEvents(
  { from, to }: Pick<CopyOptions, "from" | "to">,
  copied: (count: number) => void,
): Promise<void> {
  const compacted = await compactedOf(from.events);
  await loadEvents(to.events, [], compacted);
  for await (const events of eventsOf(from.events, await to.events.head())) {
    await loadEvents(to.events, events, compacted);
    copied(events.length);
  }
}

/** @throws {MpcError} DATA_LOSS `COPY_DIFFERS` */
async function assertSame(from: Store, to: Store): Promise<Contents> {
  const [wanted, found] = [await contentsOf(from), await contentsOf(to)];
  const differences = Object.entries(wanted).flatMap(([name, { count, checksum }]) => {
    const copy = found[name as keyof Contents];
    if (copy.checksum === checksum) return [];
    return [
      copy.count === count
        ? `${name} have other contents`
        : `of ${count} ${name} the copy has ${copy.count}`,
    ];
  });
  if (differences.length === 0) return wanted;
  throw new MpcError("DATA_LOSS", {
    reason: "COPY_DIFFERS",
    message: `Cannot use the copy: ${differences.join("; ")}`,
  });
}
