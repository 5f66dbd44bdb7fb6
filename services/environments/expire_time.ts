import { expireTimeOf, type Instant, invalidArgument, TTL_LIMITS_MS } from "@mpc/domain";

/**
 * The expiry of an environment that is requested as a time to live or as a time; null for never.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` if it is too early or too late
 */
export function wantedExpireTime(
  action: string,
  now: Instant,
  wanted: { readonly ttlMs: number | null; readonly expireTime: Instant | null },
): Instant | null {
  const { ttlMs, expireTime } = wanted;
  if (expireTime === null) return ttlMs === null ? null : expireTimeOf(now, ttlMs);
  const left = expireTime - now;
  if (left >= TTL_LIMITS_MS.min && left <= TTL_LIMITS_MS.max) return expireTime;
  throw invalidArgument(action, [{
    field: "environment.expire_time",
    value: new Date(expireTime).toISOString(),
    rule: "TTL",
    hint: "must be 1 minute to 365 days from now",
  }]);
}
