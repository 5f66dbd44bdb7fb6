import type { Filter } from "./filter.ts";
import { compareScalars, scalarAt, valueAt } from "./compare_values.ts";

/** The text of a string without its wildcards, and the ends at which it has one. */
export interface Wildcard {
  readonly text: string;
  readonly open: "none" | "start" | "end" | "both" | "any";
}

/** Parses the wildcards in a value of `=` or `!=` (AIP-160). */
export function wildcardOf(value: string): Wildcard {
  if (value === "*") return { text: "", open: "any" };
  const start = value.startsWith("*");
  const end = value.endsWith("*");
  const text = value.slice(start ? 1 : 0, end ? -1 : undefined);
  return { text, open: start && end ? "both" : start ? "start" : end ? "end" : "none" };
}

/** Whether a document matches a filter. A missing value matches only `!=`. */
export function matches(filter: Filter, document: unknown): boolean {
  switch (filter.op) {
    case "and":
      return filter.terms.every((term) => matches(term, document));
    case "or":
      return filter.terms.some((term) => matches(term, document));
    case "not":
      return !matches(filter.term, document);
    case ":":
      return has(valueAt(document, filter.path), filter.value);
    case "=":
      return equals(scalarAt(document, filter.path), filter.value);
    case "!=":
      return !equals(scalarAt(document, filter.path), filter.value);
    default: {
      const found = scalarAt(document, filter.path);
      if (found === null || filter.value === null) return false;
      if (typeof found !== typeof filter.value) return false;
      const order = compareScalars(found, filter.value);
      if (filter.op === "<") return order < 0;
      if (filter.op === "<=") return order <= 0;
      return filter.op === ">" ? order > 0 : order >= 0;
    }
  }
}

function equals(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "string") return found === wanted;
  const { text, open } = wildcardOf(wanted);
  if (open === "any") return found !== null;
  if (typeof found !== "string") return false;
  switch (open) {
    case "none":
      return found === text;
    case "start":
      return found.endsWith(text);
    case "end":
      return found.startsWith(text);
    case "both":
      return found.includes(text);
  }
}

function has(found: unknown, wanted: unknown): boolean {
  if (found === null || found === undefined) return false;
  if (wanted === "*") return typeof found !== "object" || Object.keys(found).length > 0;
  if (Array.isArray(found)) return found.includes(wanted);
  if (typeof found === "object") return typeof wanted === "string" && Object.hasOwn(found, wanted);
  if (typeof found === "string") return typeof wanted === "string" && found.includes(wanted);
  return found === wanted;
}
