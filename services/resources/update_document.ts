import { isMpcError, MpcError, type NewEvent } from "@mpc/domain";
import type { Collection, Stored } from "@mpc/storage";

/** What an edit makes of a document, and the event that tells of it. */
export interface Edit<T, Facts> {
  readonly value: T;
  readonly event: Facts;
}

/**
 * Reads, edits and swaps a document, again when somebody else was first.
 * @param edit a pure function of the document; undefined leaves it as it is
 * @returns the document as it is afterwards
 * @throws {MpcError} NOT_FOUND `NO_SUCH_DOCUMENT`, and what the store throws
 */
export async function updateDocument<T extends { readonly name: string }, const Facts>(
  collection: Collection<T>,
  name: string,
  signal: AbortSignal | undefined,
  edit: (value: T) => Edit<T, Facts> | undefined,
  eventOf: (stored: Stored<T>, facts: Facts) => NewEvent,
  known?: Stored<T>,
): Promise<Stored<T>> {
  const options = signal ? { signal } : {};
  for (let current = known;; current = undefined) {
    current ??= await collection.get(name, options);
    if (!current) {
      throw new MpcError("NOT_FOUND", {
        reason: "NO_SUCH_DOCUMENT",
        message: `Cannot change '${name}': it is gone`,
      });
    }
    const edited = edit(current.value);
    if (!edited) return current;
    const next = { value: edited.value, version: current.version + 1 };
    try {
      return await collection.replace(edited.value, current.version, {
        ...options,
        events: [eventOf(next, edited.event)],
      });
    } catch (error) {
      // The loop ends: each round that loses means that somebody else's write has won.
      if (!isMpcError(error, "ABORTED")) throw error;
    }
  }
}
