/**
 * The order of values in every store: null, then false and true, numbers, strings by code point.
 */

export type Scalar = string | number | boolean | null;

/** Compares two values; negative if `a` comes first. */
export function compareScalars(a: Scalar, b: Scalar): number {
  const byRank = rank(a) - rank(b);
  if (byRank !== 0 || a === null || b === null) return byRank;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  return Number(a) - Number(b);
}

/** Compares by code point, in the order of UTF-8 bytes; `<` would compare UTF-16 units. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    // Surrogates encode the highest code points.
    const leftHigh = left >= 0xd800 && left <= 0xdfff;
    const rightHigh = right >= 0xd800 && right <= 0xdfff;
    return leftHigh === rightHigh ? left - right : leftHigh ? 1 : -1;
  }
  return a.length - b.length;
}

/** The scalar at a path of a document; null if the value is missing or not a scalar. */
export function scalarAt(document: unknown, path: readonly string[]): Scalar {
  const value = valueAt(document, path);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : null;
}

/** The value at a path of a document; undefined if it is missing. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function rank(value: Scalar): number {
  if (value === null) return 0;
  return typeof value === "boolean" ? 1 : typeof value === "number" ? 2 : 3;
}
