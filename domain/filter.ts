/**
 * A parsed filter (AIP-160) over documents, with the paths and types of the stored documents. The
 * parser translates what a user wrote; stores only evaluate the filter or push it down.
 */
export type Filter =
  | { readonly op: "and" | "or"; readonly terms: readonly Filter[] }
  | { readonly op: "not"; readonly term: Filter }
  | {
    readonly op: Comparator;
    readonly path: readonly string[];
    readonly value: string | number | boolean | null;
  };

/**
 * `=` on strings takes `*` as a wildcard at either end (AIP-160). `:` is "has": a map has the key,
 * a list the element, a string the substring; the value `*` asks for presence, which empty maps and
 * lists do not have.
 */
export type Comparator = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":";

/** One key of a sort order (AIP-132). */
export interface OrderKey {
  readonly path: readonly string[];
  readonly descending: boolean;
}
