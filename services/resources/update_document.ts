import { isMpcError, MpcError, type NewEvent } from "@mpc/domain";
import type { Collection, Stored } from "@mpc/storage";

/** The edited document, and the event about it. */
export interface Edit<T, Facts> {
  readonly value: T;
  readonly event: Facts;
}

/**
 * Reads, edits and replaces a document; repeats this if another process has changed it first.
 * @param edit a pure function of the document; undefined leaves the document unchanged
 * @returns the document afterwards
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
      // The loop ends: each lost round means that another write has succeeded.
      if (!isMpcError(error, "ABORTED")) throw error;
    }
  }
}
