/** Values in the order of a comparison that never calls two different values equal. */
export class SortedIndex<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #values: T[];

  constructor(values: readonly T[], compare: (a: T, b: T) => number) {
    this.#compare = compare;
    this.#values = values.toSorted(compare);
  }

  add(value: T): void {
    this.#values.splice(this.#firstNotBefore(value), 0, value);
  }

  /** Removes the value that compares equal. */
  remove(value: T): void {
    const at = this.#firstNotBefore(value);
    const found = this.#values[at];
    if (found !== undefined && this.#compare(found, value) === 0) this.#values.splice(at, 1);
  }

  get size(): number {
    return this.#values.length;
  }

  /** How many values come before this one, which need not be there. */
  countBefore(value: T): number {
    return this.#firstNotBefore(value);
  }

  /**
   * Yields all values, or those from `start` on; reads no more of them than the caller takes.
   * @param inclusive whether a value that compares equal to `start` is one of them
   */
  *from(start: T | undefined, inclusive: boolean): Generator<T, void> {
    let at = start === undefined ? 0 : this.#firstNotBefore(start);
    const first = this.#values[at];
    if (start !== undefined && first !== undefined && !inclusive) {
      if (this.#compare(first, start) === 0) at++;
    }
    for (; at < this.#values.length; at++) yield this.#values[at]!;
  }

  /** The index of the first value that does not come before `value`, by binary search. */
  #firstNotBefore(value: T): number {
    let [low, high] = [0, this.#values.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#values[middle]!, value) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
