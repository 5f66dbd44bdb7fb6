import { type Instant, isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

/** Longer than an API server takes to read its roles. */
const DOUBTED_MS = 5_000;

/**
 * Whether we are let watch. An API server that has just started answers that nobody may do anything
 * until it has read its roles: who was let watch before is not at once believed to be forbidden.
 */
export class Permission {
  readonly #clock: Clock;
  #wasGranted = false;
  #deniedSince: Instant | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  granted(): void {
    this.#wasGranted = true;
    this.#deniedSince = undefined;
  }

  /** A failure as it is to be told: a denial that may pass is a cluster that does not answer yet. */
  doubted(failure: unknown): unknown {
    if (!isMpcError(failure, "PERMISSION_DENIED")) {
      this.#deniedSince = undefined;
      return failure;
    }
    this.#deniedSince ??= this.#clock.now();
    if (!this.#wasGranted || this.#clock.now() - this.#deniedSince >= DOUBTED_MS) return failure;
    return new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: failure.message,
      metadata: failure.metadata,
      cause: failure,
    });
  }
}
