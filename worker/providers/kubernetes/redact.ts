import type { JsonValue } from "@mpc/domain";

/** Shorter values are not redacted: they are not secret, and they occur in every message. */
const SHORTEST_SECRET = 4;

/** Replaces values that may be secret in a text, for instance in the output of a program. */
export function redactFrom(text: string, values: JsonValue): string {
  return leaves(values).filter((leaf) => leaf.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((text, leaf) => text.replaceAll(leaf, "(redacted)"), text);
}

function leaves(value: JsonValue): readonly string[] {
  if (typeof value === "string") return [value, ...value.split("\n")];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(leaves);
}
