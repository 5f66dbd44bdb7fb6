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

  /** The amount that all peers hold together. */
  get used(): number {
    return this.#used;
  }

  /** The share of a new peer, which holds nothing yet. */
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

/** What one peer holds of a shared amount. */
export interface Share {
  readonly held: number;
  /** Takes an amount. @returns false, and takes nothing, if that would exceed the fair share */
  take(amount: number): boolean;
  /** Gives back what was taken. */
  give(amount: number): void;
}
