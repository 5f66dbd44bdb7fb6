import type { Collection, Cursor, ListQuery, Stored } from "@mpc/storage";

/**
 * The pages of a list, one after the other; a page is read when the reader asks for it.
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
