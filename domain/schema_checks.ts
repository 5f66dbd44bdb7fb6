/** Checks that schemas share. */
import type { z } from "zod";
import { check } from "./parse_input.ts";

/** Adds an issue unless exactly one of the fields is set. */
export function exactlyOne<Field extends string>(
  value: Readonly<Record<Field, unknown>>,
  fields: readonly Field[],
  context: z.RefinementCtx,
): void {
  const set = fields.filter((field) => value[field] !== null);
  if (set.length === 1) return;
  const message = `must have exactly one of ${fields.join(", ")}`;
  context.addIssue({ code: "custom", path: set.slice(1, 2), ...check("EXACTLY_ONE", message) });
}

/** Adds an issue for each item that repeats the key of an earlier one; empty keys may repeat. */
export function assertUnique<Item>(
  items: readonly Item[],
  context: z.RefinementCtx,
  field: string,
  keyOf: (item: Item) => string,
): void {
  const seen = new Set<string>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (key !== "" && seen.has(key)) {
      const message = `repeats '${key}', must be unique`;
      context.addIssue({ code: "custom", path: [index, field], ...check("UNIQUE", message) });
    }
    seen.add(key);
  });
}
