/** Flags that every list takes. */
export interface ListFlags {
  readonly filter?: string | undefined;
  readonly selector?: string | undefined;
  readonly sortBy?: string | undefined;
  readonly limit?: number | undefined;
}

const PAGE_SIZE = 500;

/** The filter of `--filter` and `-l` together. */
export function filterOf({ filter = "", selector = "" }: ListFlags): string {
  const labels = selector.split(",").filter((part) => part !== "").map((part) => {
    const [key, value] = part.split(/=+/);
    const negated = key?.endsWith("!") ?? false;
    const field = `labels.${key?.replace(/!$/, "")}`;
    if (value === undefined) return `labels:"${key}"`;
    return `${field} ${negated ? "!=" : "="} "${value}"`;
  });
  return [filter && `(${filter})`, ...labels].filter(Boolean).join(" AND ");
}

/** Reads pages until there are no more, or enough. */
export async function collect<T>(
  flags: ListFlags,
  page: (
    request: { pageSize: number; pageToken: string; filter: string; orderBy: string },
  ) => Promise<{ items: readonly T[]; nextPageToken: string }>,
): Promise<readonly T[]> {
  const items: T[] = [];
  let pageToken = "";
  do {
    const wanted = Math.min(PAGE_SIZE, (flags.limit ?? Infinity) - items.length);
    const answer = await page({
      pageSize: wanted,
      pageToken,
      filter: filterOf(flags),
      orderBy: flags.sortBy ?? "",
    });
    items.push(...answer.items);
    pageToken = answer.nextPageToken;
  } while (pageToken !== "" && items.length < (flags.limit ?? Infinity));
  return items;
}
