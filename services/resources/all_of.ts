import type { Collection } from "@mpc/storage";
import { pagesOf } from "./pages_of.ts";

const PAGE = 500;

/** All documents of a collection, or all under a prefix. */
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
