import type { HandlerContext } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { Interceptor } from "./interceptor.ts";

export interface RateLimit {
  /** Calls that a caller may go on making. */
  readonly perSecond: number;
  /** Calls that a caller may make at once after a pause. */
  readonly burst: number;
}

/** Callers of which something is remembered; who has paused longest is forgotten first. */
const MAX_CALLERS = 10_000;

/**
 * Refuses the calls of a caller that makes too many, and says when to come again: the generic cell
 * rate algorithm (ITU-T I.371), which keeps one number for each caller. A stream counts once.
 * @throws {MpcError} RESOURCE_EXHAUSTED `RATE_LIMITED`, with `retryAfterMs`
 */
export function rateLimit(
  { perSecond, burst }: RateLimit,
  clock: Pick<Clock, "now">,
  callerOf: (context: HandlerContext) => string,
): Interceptor {
  const spacingMs = 1_000 / perSecond;
  const toleranceMs = spacingMs * (burst - 1);
  /** When each caller's calls so far will have been spread out evenly; least recent first. */
  const spreadUntil = new Map<string, number>();
  return {
    before(context) {
      const caller = callerOf(context);
      const now = clock.now();
      const until = Math.max(spreadUntil.get(caller) ?? 0, now);
      const waitMs = until - toleranceMs - now;
      if (waitMs > 0) throw rateLimited(perSecond, waitMs);
      spreadUntil.delete(caller);
      spreadUntil.set(caller, until + spacingMs);
      if (spreadUntil.size > MAX_CALLERS) {
        const [oldest = ""] = spreadUntil.keys();
        spreadUntil.delete(oldest);
      }
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
