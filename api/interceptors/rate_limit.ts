import { MpcError } from "@mpc/domain";
import { callerOf, identityOf, type Interceptor } from "@mpc/process";
import type { Clock, LimitsOf } from "@mpc/services";

export interface RateLimit {
  /** The rate at which a caller may make calls. */
  readonly perSecond: number;
  /** Calls that a caller may make at once after a pause. */
  readonly burst: number;
}

/** The number of callers that are tracked; the one that has been idle longest is dropped first. */
const MAX_CALLERS = 10_000;

/**
 * The pace of many callers: the generic cell rate algorithm (ITU-T I.371), which stores one number
 * for each. The clock is the monotonic one: with the wall clock, setting it back would refuse every
 * call.
 */
class Pace {
  readonly #clock: Pick<Clock, "monotonic">;
  /** When the calls of each caller would be over if spread out evenly; least recent first. */
  readonly #spreadUntil = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How long a caller must wait before its next call, in milliseconds; 0 or less for now. */
  waitMs(key: string, { perSecond, burst }: RateLimit): number {
    const until = this.#spreadUntil.get(key);
    if (until === undefined) return 0;
    return until - 1_000 / perSecond * (burst - 1) - this.#clock.monotonic();
  }

  /** Counts a call. */
  count(key: string, { perSecond }: RateLimit): void {
    const now = this.#clock.monotonic();
    const until = Math.max(this.#spreadUntil.get(key) ?? now, now);
    this.#spreadUntil.delete(key);
    this.#spreadUntil.set(key, until + 1_000 / perSecond);
    if (this.#spreadUntil.size <= MAX_CALLERS) return;
    const [oldest = ""] = this.#spreadUntil.keys();
    this.#spreadUntil.delete(oldest);
  }
}

/**
 * Rejects calls of a principal that makes too many, and says when to retry. A stream counts as one
 * call. Callers without credentials are told apart by their address.
 * @param limitsOf a principal's own rate, which goes before `limit`
 * @throws {MpcError} RESOURCE_EXHAUSTED `RATE_LIMITED`, with `retryAfterMs`
 */
export function rateLimit(
  limit: RateLimit,
  clock: Pick<Clock, "monotonic">,
  limitsOf?: LimitsOf,
): Interceptor {
  const pace = new Pace(clock);
  return {
    around(call, next) {
      const caller = callerOf(call.context);
      const isKnown = identityOf(call.context).authentication !== undefined;
      const key = isKnown ? caller.principal : `${caller.principal} at ${caller.source}`;
      const own = isKnown ? limitsOf?.(caller).callsPerSecond ?? null : null;
      const applied = own === null ? limit : { perSecond: own, burst: Math.max(2 * own, 1) };
      const waitMs = pace.waitMs(key, applied);
      if (waitMs > 0) return Promise.reject(rateLimited(applied.perSecond, waitMs));
      pace.count(key, applied);
      return next(call);
    },
  };
}

function rateLimited(perSecond: number, waitMs: number): MpcError {
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "RATE_LIMITED",
    message:
      `Cannot take the call: more than ${perSecond} calls a second; try again as RetryInfo says`,
    metadata: { retryAfterMs: String(Math.ceil(waitMs)) },
  });
}
