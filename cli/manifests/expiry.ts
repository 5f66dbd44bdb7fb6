import {
  durationMs,
  type Timestamp,
  timestampDate,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import type { Environment, Workload } from "@mpc/proto";

/** A change of the time when an environment expires. */
export interface ExpiryChange {
  readonly path: "expireTime";
  /** As texts; empty for never. */
  readonly before: string;
  readonly after: string;
  readonly expireTime: Timestamp;
}

/** The server counts a `ttl` from a moment shortly before the record's creation. */
const TOLERANCE_MS = 60_000;

/**
 * How the expiry of an environment differs from the one that a file asks for; undefined where it does
 * not. A `ttl` counts from the creation of the environment, so that applying a file again does not
 * extend it. A file with neither `ttl` nor `expireTime` leaves the expiry as it is.
 */
export function expiryChange(
  wanted: Environment | Workload,
  live: Environment | Workload,
): ExpiryChange | undefined {
  if (wanted.$typeName !== "mpc.v1.Environment" || live.$typeName !== "mpc.v1.Environment") {
    return undefined;
  }
  const expireTime = wantedTime(wanted, live);
  if (!expireTime) return undefined;
  const distance = live.expireTime
    ? Math.abs(timestampMs(expireTime) - timestampMs(live.expireTime))
    : Infinity;
  if (distance <= (wanted.ttl ? TOLERANCE_MS : 0)) return undefined;
  const before = live.expireTime ? text(live.expireTime) : "";
  return { path: "expireTime", before, after: text(expireTime), expireTime };
}

function wantedTime(
  { ttl, expireTime }: Environment,
  { createTime }: Environment,
): Timestamp | undefined {
  if (expireTime || !ttl || !createTime) return expireTime;
  return timestampFromMs(timestampMs(createTime) + durationMs(ttl));
}

const text = (time: Timestamp): string => timestampDate(time).toISOString();
