import { ConnectionError, ERROR_CODE } from "./http2_frames.ts";

/** How many frames of a kind a client may send at once, and how many are added each second. */
export interface BudgetLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket for frames that cost the server more than the client. */
export class FrameBudget {
  readonly #what: string;
  readonly #limits: BudgetLimits;
  #left: number;
  #filledAt: number;

  constructor(what: string, limits: BudgetLimits, now: number) {
    this.#what = what;
    this.#limits = limits;
    this.#left = limits.burst;
    this.#filledAt = now;
  }

  /** @throws {ConnectionError} ENHANCE_YOUR_CALM if nothing is left */
  spend(now: number): void {
    if (this.#left < 1) {
      const { burst, perSecond } = this.#limits;
      this.#left = Math.min(burst, this.#left + (now - this.#filledAt) / 1_000 * perSecond);
      this.#filledAt = now;
      if (this.#left < 1) {
        throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, `too_many_${this.#what}`);
      }
    }
    this.#left--;
  }

  /** Restores the full budget. */
  reset(): void {
    this.#left = this.#limits.burst;
  }
}
