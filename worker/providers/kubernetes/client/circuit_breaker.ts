import { type Instant, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  readonly failures: number;
  /** How long it stays open at first. Each failed trial doubles this, up to {@linkcode LONGEST_OPEN_MS}. */
  readonly openMs: number;
}

/** One call in this time costs a server little, and steps that wait for it go on soon. */
const LONGEST_OPEN_MS = 10_000;

/** When a blocked call may try again while another one is the trial. */
const DURING_TRIAL_MS = 1_000;

/**
 * Protects a server that does not answer. While the breaker is open, calls fail at once; then one
 * call is allowed as a trial (Nygard, "Release It!", Circuit Breaker). Libraries do not accept our
 * `Clock`, which tests need.
 */
export class CircuitBreaker {
  readonly #name: string;
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  #failures = 0;
  #openMs: number;
  /** By the monotonic clock. */
  #openUntil: number | undefined;
  #trying = false;
  /** The first of the consecutive failures. */
  #since: Instant | undefined;
  #lastFailure = "";
  /** By the monotonic clock. */
  #recoveredAt = -Infinity;

  constructor(name: string, options: BreakerOptions, clock: Clock) {
    this.#name = name;
    this.#options = options;
    this.#clock = clock;
    this.#openMs = options.openMs;
  }

  /**
   * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` while it is open; `metadata` has `since` and
   *   `nextTrial`
   */
  enter(): void {
    if (this.#openUntil === undefined) return;
    const leftMs = this.#openUntil - this.#clock.monotonic();
    if (leftMs > 0 || this.#trying) throw this.#blocked(leftMs > 0 ? leftMs : DURING_TRIAL_MS);
    this.#trying = true;
  }

  succeeded(): void {
    if (this.#failures > 0) this.#recoveredAt = this.#clock.monotonic();
    this.#failures = 0;
    this.#since = undefined;
    this.#openMs = this.#options.openMs;
    this.#openUntil = undefined;
    this.#trying = false;
  }

  /** @param why what blocked calls report; without anything about the call that failed */
  failed(why: string): void {
    this.#lastFailure = why;
    this.#failures++;
    this.#since ??= this.#clock.now();
    if (this.#trying) this.#openMs = Math.min(LONGEST_OPEN_MS, this.#openMs * 2);
    this.#trying = false;
    if (this.#failures < this.#options.failures) return;
    this.#openUntil = this.#clock.monotonic() + this.#openMs;
  }

  /** The call ended without information about the server, for instance because it was aborted. */
  undecided(): void {
    this.#trying = false;
  }

  /** Whether the server has begun to answer again within the last `ms`. */
  hasRecoveredWithin(ms: number): boolean {
    return this.#clock.monotonic() - this.#recoveredAt < ms;
  }

  #blocked(waitMs: number): MpcError {
    const now = this.#clock.now();
    const since = new Date(this.#since ?? now).toISOString();
    const nextTrial = new Date(now + waitMs).toISOString();
    return new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: `Cannot call cluster '${this.#name}': it has not answered since ${since}, ` +
        `${this.#failures} times in a row (${this.#lastFailure}); the next trial is at ${nextTrial}`,
      metadata: { cluster: this.#name, since, nextTrial, sent: "no" },
    });
  }
}
