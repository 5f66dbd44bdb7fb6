import type { OrderKey } from "@mpc/domain";
import type { Cursor, ListQuery } from "../store.ts";
import { compareScalars, compareStrings, scalarAt } from "./compare.ts";

type Named = { readonly name: string };

/** Whether the name, which breaks ties, goes down: it follows the last key. */
export function nameDescends(orderBy: readonly OrderKey[]): boolean {
  return orderBy.at(-1)?.descending ?? false;
}

/** Where a document lies in an order. */
export function cursorOf(document: Named, orderBy: readonly OrderKey[]): Cursor {
  return { keys: orderBy.map((key) => scalarAt(document, key.path)), name: document.name };
}

/** Compares two places in an order. */
function compareCursors(a: Cursor, b: Cursor, orderBy: readonly OrderKey[]): number {
  for (const [index, key] of orderBy.entries()) {
    const order = compareScalars(a.keys[index] ?? null, b.keys[index] ?? null);
    if (order !== 0) return key.descending ? -order : order;
  }
  const order = compareStrings(a.name, b.name);
  return nameDescends(orderBy) ? -order : order;
}

/** The page of `documents` that a query asks for; the documents are those that match already. */
export function pageOf<T>(
  documents: readonly T[],
  named: (document: T) => Named,
  query: Pick<ListQuery, "orderBy" | "after" | "limit">,
): { readonly items: readonly T[]; readonly next: Cursor | null } {
  const { orderBy = [], after, limit } = query;
  const placed = documents.map((document) => ({
    document,
    cursor: cursorOf(named(document), orderBy),
  }));
  const rest =
    (after ? placed.filter(({ cursor }) => compareCursors(cursor, after, orderBy) > 0) : placed)
      .sort((a, b) => compareCursors(a.cursor, b.cursor, orderBy));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ document }) => document),
    next: rest.length > limit && last ? last.cursor : null,
  };
}
