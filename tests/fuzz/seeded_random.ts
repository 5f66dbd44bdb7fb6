/** Random choices that are the same for the same seed. */
export interface Random {
  /** A whole number in [0, `limit`). */
  below(limit: number): number;
  chance(probability: number): boolean;
  of<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** The choices of a seed; each `stream` of a seed is independent. */
export function seededRandom(seed: number, stream = 0): Random {
  // Mulberry32, with a different start for each stream by a multiplicative hash.
  let state = (seed ^ Math.imul(stream + 1, 0x9e37_79b1)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    chance: (probability) => next() < probability,
    of: (values) => values[below(values.length)]!,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
