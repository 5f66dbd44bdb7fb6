import { isMpcError } from "@mpc/domain";
import type { Collection, Cursor, Stored } from "../store.ts";

/** How many documents are read at once. */
const PAGE = 500;

/** A record that is there and cannot be read. */
export interface Unreadable {
  readonly name: string;
  readonly message: string;
}

/**
 * Reads all documents in the order of names, and goes on behind those that cannot be read.
 * @throws errors that do not name the record that they are about
 */
export async function readRecords<T extends { readonly name: string }>(
  collection: Collection<T>,
  visit: (stored: Stored<T>) => void,
): Promise<readonly Unreadable[]> {
  const unreadable: Unreadable[] = [];
  let after: Cursor | undefined;
  let limit = PAGE;
  for (;;) {
    try {
      const page = await collection.list({ limit, ...(after && { after }) });
      page.items.forEach(visit);
      if (page.next === null) return unreadable;
      after = page.next;
    } catch (error) {
      const name = isMpcError(error, "DATA_LOSS") ? error.metadata["resource"] : undefined;
      if (name === undefined || !(error instanceof Error)) throw error;
      if (limit > 1) {
        // The readable ones before it come first.
        limit = 1;
        continue;
      }
      unreadable.push({ name, message: error.message });
      after = { keys: [], name };
      limit = PAGE;
    }
  }
}
