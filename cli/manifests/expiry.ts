import {
  durationMs,
  type Timestamp,
  timestampDate,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import type { Environment, Workload } from "@mpc/proto";

/** A change of an environment's expiry. */
export interface ExpiryChange {
  readonly path: "expireTime";
  /** As texts; empty for never. */
  readonly before: string;
  readonly after: string;
  readonly expireTime: Timestamp;
}

/** The server counts a `ttl` from shortly before the record's creation. */
const TOLERANCE_MS = 60_000;

/**
 * The difference of an environment's expiry from the one in a file; undefined if there is none. A
 * `ttl` counts from the creation of the environment, so that applying a file again does not
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
