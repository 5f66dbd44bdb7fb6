import type { JsonValue } from "@mpc/domain";

/** Shorter ones are told: they are no secret, and every message is full of them. */
const SHORTEST_SECRET = 4;

/** A text without these values, which may be secret: messages and output quote some. */
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
