import type { CommandContext } from "../context.ts";
import { parseSelector, selectorFilter } from "./selector.ts";

/** Flags of every list. */
export interface ListFlags {
  readonly filter?: string | undefined;
  readonly selector?: string | undefined;
  readonly sortBy?: string | undefined;
  readonly limit?: number | undefined;
}

/** The items of a list. */
export interface Listed<T> {
  readonly items: readonly T[];
  /** Whether the limit truncated the list. */
  readonly more: boolean;
}

const PAGE_SIZE = 500;

/** Combines `--filter` and `-l` into one filter. */
function filterOf({ filter = "", selector = "" }: ListFlags): string {
  const labels = selectorFilter(parseSelector(selector));
  // AND binds loosest (AIP-160), so no parentheses are needed; they would shift error positions.
  return [filter, labels].filter((part) => part.trim() !== "").join(" AND ");
}

/** Reads pages until the last one, or until the limit. */
export async function readPages<T>(
  flags: ListFlags,
  page: (
    request: { pageSize: number; pageToken: string; filter: string; orderBy: string },
  ) => Promise<{ items: readonly T[]; nextPageToken: string }>,
): Promise<Listed<T>> {
  const { limit = Infinity } = flags;
  const items: T[] = [];
  let pageToken = "";
  do {
    const answer = await page({
      pageSize: Math.min(PAGE_SIZE, limit - items.length),
      pageToken,
      filter: filterOf(flags),
      orderBy: flags.sortBy ?? "",
    });
    items.push(...answer.items);
    pageToken = answer.nextPageToken;
  } while (pageToken !== "" && items.length < limit);
  return { items, more: pageToken !== "" };
}

/** Reports that the limit truncated the list. */
export function reportMore({ terminal }: CommandContext, { items, more }: Listed<unknown>) {
  if (!more) return;
  terminal.err(
    `There are more than these ${items.length}: raise --limit, or narrow with --filter\n`,
  );
}
