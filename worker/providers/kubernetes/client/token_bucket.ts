import type { Clock } from "@mpc/services";

export interface RequestRate {
  readonly perSecond: number;
  /** Requests that may start at once after a pause. */
  readonly burst: number;
}

/** Limits the rate of requests, in the order of their arrival. */
export class TokenBucket {
  readonly #rate: RequestRate;
  readonly #clock: Clock;
  /** Negative while requests wait. */
  #tokens: number;
  /** When, by the monotonic clock, tokens were added last. */
  #filled: number;

  constructor(rate: RequestRate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filled = clock.monotonic();
  }

  /**
   * Waits for a turn.
   * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER`
   */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const { perSecond, burst } = this.#rate;
    const gained = (now - this.#filled) * perSecond / 1_000;
    this.#tokens = Math.min(burst, this.#tokens + gained) - 1;
    this.#filled = now;
    if (this.#tokens >= 0) return;
    try {
      await this.#clock.sleep(-this.#tokens * 1_000 / perSecond, signal);
    } catch (error) {
      this.#tokens++;
      throw error;
    }
  }
}
