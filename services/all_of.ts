import type { Collection, Cursor } from "@mpc/storage";

const PAGE = 500;

/** Every document of a collection, for checks that have to see them all. */
export async function allOf<T extends { readonly name: string }>(
  collection: Collection<T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const found: T[] = [];
  let after: Cursor | undefined;
  do {
    const page = await collection.list({ limit: PAGE, signal, ...(after && { after }) });
    found.push(...page.items.map(({ value }) => value));
    after = page.next ?? undefined;
  } while (after);
  return found;
}
