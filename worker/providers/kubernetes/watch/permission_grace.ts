import { isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

/** Longer than an API server needs to load its roles. */
const GRACE_MS = 5_000;

/**
 * Tolerates denials for a short time after a watch was allowed: an API server that has just started
 * denies every request until it has loaded its roles.
 */
export class PermissionGrace {
  readonly #clock: Clock;
  #wasGranted = false;
  /** By the monotonic clock. */
  #deniedSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  granted(): void {
    this.#wasGranted = true;
    this.#deniedSince = undefined;
  }

  /** The failure to report: a denial that may be transient becomes `CLUSTER_UNREACHABLE`. */
  classify(failure: unknown): unknown {
    if (!isMpcError(failure, "PERMISSION_DENIED")) {
      this.#deniedSince = undefined;
      return failure;
    }
    const now = this.#clock.monotonic();
    this.#deniedSince ??= now;
    if (!this.#wasGranted || now - this.#deniedSince >= GRACE_MS) return failure;
    return new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: failure.message,
      metadata: failure.metadata,
      cause: failure,
    });
  }
}
