/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** The shortest and the longest time to live of an environment. */
export const TTL_LIMITS_MS = { min: 60_000, max: 365 * 24 * 3_600_000 } as const;

/**
 * The expiry of an environment that lives `ttlMs` from `now`.
 * @throws {RangeError} if `ttlMs` is outside {@linkcode TTL_LIMITS_MS}; services check it first
 */
export function expireTimeOf(now: Instant, ttlMs: number): Instant {
  if (!(ttlMs >= TTL_LIMITS_MS.min && ttlMs <= TTL_LIMITS_MS.max)) {
    throw new RangeError(`Cannot expire after ${ttlMs} ms: must be 1 minute to 365 days`);
  }
  return now + Math.ceil(ttlMs);
}

/** A time span for messages, in seconds with at most one decimal: `30 s`, `28.5 s`. */
export const formatSeconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
