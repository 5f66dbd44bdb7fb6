import type { Collection, Cursor, ListQuery, Stored } from "@mpc/storage";

/**
 * The pages of a list. Each page is read when the reader has finished the previous one, so none is
 * read after the reader stops.
 */
export async function* pagesOf<T extends { readonly name: string }>(
  collection: Pick<Collection<T>, "list">,
  query: Omit<ListQuery, "after">,
): AsyncGenerator<readonly Stored<T>[]> {
  let after: Cursor | undefined;
  do {
    const page = await collection.list({ ...query, ...(after && { after }) });
    yield page.items;
    after = page.next ?? undefined;
  } while (after);
}
