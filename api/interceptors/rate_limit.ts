import { MpcError } from "@mpc/domain";
import { callerOf, type Interceptor } from "@mpc/process";
import type { Clock } from "@mpc/services";

export interface RateLimit {
  /** The rate at which a caller may make calls. */
  readonly perSecond: number;
  /** Calls that a caller may make at once after a pause. */
  readonly burst: number;
}

/** The number of callers that are tracked; the one that has been idle longest is dropped first. */
const MAX_CALLERS = 10_000;

/**
 * Rejects calls of a principal that makes too many, and says when to retry: the generic cell rate
 * algorithm (ITU-T I.371), which stores one number for each principal. A stream counts as one call.
 * The clock is the monotonic one: with the wall clock, setting it back would refuse every call.
 * @throws {MpcError} RESOURCE_EXHAUSTED `RATE_LIMITED`, with `retryAfterMs`
 */
export function rateLimit(
  { perSecond, burst }: RateLimit,
  clock: Pick<Clock, "monotonic">,
): Interceptor {
  const spacingMs = 1_000 / perSecond;
  const toleranceMs = spacingMs * (burst - 1);
  /** When the calls of each principal would be over if spread out evenly; least recent first. */
  const spreadUntil = new Map<string, number>();
  return {
    around(call, next) {
      const { principal } = callerOf(call.context);
      const now = clock.monotonic();
      const until = Math.max(spreadUntil.get(principal) ?? now, now);
      const waitMs = until - toleranceMs - now;
      if (waitMs > 0) return Promise.reject(rateLimited(perSecond, waitMs));
      spreadUntil.delete(principal);
      spreadUntil.set(principal, until + spacingMs);
      if (spreadUntil.size > MAX_CALLERS) {
        const [oldest = ""] = spreadUntil.keys();
        spreadUntil.delete(oldest);
      }
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
