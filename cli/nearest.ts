import { closest, distance } from "fastest-levenshtein";

/** More mistakes than this are no slip of the finger. */
const MAX_SHARE = 0.4;

/** "Did you mean …?" for a name that is near to what was typed; undefined where none is. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const found = closest(typed, names);
  const share = distance(typed, found) / Math.max(typed.length, found.length);
  return share <= MAX_SHARE ? `Did you mean '${found}'?` : undefined;
}
