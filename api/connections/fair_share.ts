/**
 * Divides a limited amount among peers. Each peer may hold at most half of what the others leave
 * free, so one peer can take half, the next a quarter, and a new peer always finds something.
 */
export class FairShare {
  readonly total: number;
  #used = 0;

  constructor(total: number) {
    this.total = total;
  }

  /** How much all peers hold together. */
  get used(): number {
    return this.#used;
  }

  /** The share of one peer, which holds nothing yet. */
  share(): Share {
    let held = 0;
    return {
      get held() {
        return held;
      },
      take: (amount) => {
        if (held + amount > (this.total - (this.#used - held)) / 2) return false;
        held += amount;
        this.#used += amount;
        return true;
      },
      give: (amount) => {
        held -= amount;
        this.#used -= amount;
      },
    };
  }
}

/** What one peer holds of an amount that all peers share. */
export interface Share {
  readonly held: number;
  /** Takes more. @returns false, and takes nothing, where that would be more than a fair share */
  take(amount: number): boolean;
  /** Gives back what was taken. */
  give(amount: number): void;
}
