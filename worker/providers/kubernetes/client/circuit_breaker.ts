import { MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

export interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly failures: number;
  /** How long it stays open at first; each failed trial doubles that, up to a minute. */
  readonly openMs: number;
}

const LONGEST_OPEN_MS = 60_000;

/**
 * Keeps calls from a server that does not answer: while it is open they fail at once, then one is
 * let through as a trial (Nygard, "Release It!", Circuit Breaker). A library would do but for time,
 * which is a port here.
 */
export class CircuitBreaker {
  readonly #name: string;
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  #failures = 0;
  #openMs: number;
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
    if (this.#clock.now() < this.#openUntil || this.#trying) {
      throw new MpcError("UNAVAILABLE", {
        reason: "CLUSTER_UNREACHABLE",
        message:
          `Cannot call cluster '${this.#name}': it failed ${this.#failures} times in a row, the next trial is at ${
            new Date(this.#openUntil).toISOString()
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

  /** @param why is told to those who are kept away */
  failed(why: Error): void {
    this.#lastFailure = why;
    this.#failures++;
    if (this.#trying) this.#openMs = Math.min(LONGEST_OPEN_MS, this.#openMs * 2);
    this.#trying = false;
    if (this.#failures < this.#options.failures) return;
    this.#openUntil = this.#clock.now() + this.#openMs;
  }

  /** The call ended without telling anything about the server. */
  undecided(): void {
    this.#trying = false;
  }
}
