import { closest, distance } from "fastest-levenshtein";

/** The largest share of wrong letters that counts as a typo. */
const MAX_SHARE = 0.4;

/** "Did you mean …?" with the name nearest to what was typed; undefined if none is close. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const found = names.find((name) => isSwap(typed, name)) ?? closest(typed, names);
  const share = distance(typed, found) / Math.max(typed.length, found.length);
  return share <= MAX_SHARE || isSwap(typed, found) ? `Did you mean '${found}'?` : undefined;
}

/** Two swapped letters are one typo, but an edit distance of two. */
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return at >= 0 && a[at] === b[at + 1] && a[at + 1] === b[at] &&
    a.slice(at + 2) === b.slice(at + 2);
}
