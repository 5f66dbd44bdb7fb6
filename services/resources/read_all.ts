import type { Collection, Cursor, ListQuery, Stored } from "@mpc/storage";

const PAGE = 500;

/** Reads every document of a collection, or every one under a prefix. */
export async function allOf<T extends { readonly name: string }>(
  collection: Pick<Collection<T>, "list">,
  signal: AbortSignal,
  prefix = "",
): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pagesOf(collection, { prefix, limit: PAGE, signal })) {
    found.push(...page.map(({ value }) => value));
  }
  return found;
}

/**
 * Yields the pages of a list. A page is read when the reader asks for it.
 * @param from where the first page starts
 */
export async function* pagesOf<T extends { readonly name: string }>(
  collection: Pick<Collection<T>, "list">,
  query: Omit<ListQuery, "after">,
  from?: Cursor,
): AsyncGenerator<readonly Stored<T>[]> {
  let after = from;
  do {
    const page = await collection.list({ ...query, ...(after && { after }) });
    yield page.items;
    after = page.next ?? undefined;
  } while (after);
}
