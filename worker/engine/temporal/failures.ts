/** Counts failures in a row, of which only the first of each reason is logged. */
export class Failures {
  #count = 0;
  #reason = "";

  /** @returns whether the failure before it, if any, had another reason */
  add(reason: string): boolean {
    const isNew = this.#count === 0 || reason !== this.#reason;
    this.#count++;
    this.#reason = reason;
    return isNew;
  }

  /** @returns how many failures there were; the next one counts as the first */
  end(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
