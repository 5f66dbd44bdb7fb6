import { MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  readonly failures: number;
  /** How long it stays open at first. Each failed trial doubles this, up to one minute. */
  readonly openMs: number;
}

const LONGEST_OPEN_MS = 60_000;

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
  #lastFailure: Error | undefined;

  constructor(name: string, options: BreakerOptions, clock: Clock) {
    this.#name = name;
    this.#options = options;
    this.#clock = clock;
    this.#openMs = options.openMs;
  }

  /** @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` while it is open */
  enter(): void {
    if (this.#openUntil === undefined) return;
    const leftMs = this.#openUntil - this.#clock.monotonic();
    if (leftMs > 0 || this.#trying) {
      throw new MpcError("UNAVAILABLE", {
        reason: "CLUSTER_UNREACHABLE",
        message:
          `Cannot call cluster '${this.#name}': it failed ${this.#failures} times in a row, the next trial is at ${
            new Date(this.#clock.now() + leftMs).toISOString()
          }; the last time: ${this.#lastFailure?.message}`,
        metadata: { cluster: this.#name },
        cause: this.#lastFailure,
      });
    }
    this.#trying = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openMs = this.#options.openMs;
    this.#openUntil = undefined;
    this.#trying = false;
  }

  /** @param why the error that blocked calls report */
  failed(why: Error): void {
    this.#lastFailure = why;
    this.#failures++;
    if (this.#trying) this.#openMs = Math.min(LONGEST_OPEN_MS, this.#openMs * 2);
    this.#trying = false;
    if (this.#failures < this.#options.failures) return;
    this.#openUntil = this.#clock.monotonic() + this.#openMs;
  }

  /** The call ended without information about the server, for instance because it was aborted. */
  undecided(): void {
    this.#trying = false;
  }
}
