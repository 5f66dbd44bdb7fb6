import { compareScalars, compareStrings, type OrderKey, scalarAt } from "@mpc/domain";
import type { Cursor } from "../store.ts";

/**
 * Whether names, which break ties, are in descending order: they follow the last key's direction.
 */
export function nameDescends(orderBy: readonly OrderKey[]): boolean {
  return orderBy.at(-1)?.descending ?? false;
}

/** The position of a document in an order. */
export function cursorOf(
  document: { readonly name: string },
  orderBy: readonly OrderKey[],
): Cursor {
  return { keys: orderBy.map((key) => scalarAt(document, key.path)), name: document.name };
}

/** Compares two positions in an order; negative if `a` comes first. */
export function compareCursors(a: Cursor, b: Cursor, orderBy: readonly OrderKey[]): number {
  for (const [index, key] of orderBy.entries()) {
    const order = compareScalars(a.keys[index] ?? null, b.keys[index] ?? null);
    if (order !== 0) return key.descending ? -order : order;
  }
  const order = compareStrings(a.name, b.name);
  return nameDescends(orderBy) ? -order : order;
}
