import type { Collection, Cursor, ListQuery, Stored } from "@mpc/storage";

/**
 * The pages of a list, one after the other; each is read when the one before has been dealt with,
 * and none after whoever has enough.
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
