import {
  durationMs,
  type Timestamp,
  timestampDate,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import type { Environment, Workload } from "@mpc/proto";
import { usageError } from "../errors/cli_error.ts";
import type { Manifest } from "./manifest.ts";

/** A change of an environment's expiry. */
export interface ExpiryChange {
  readonly path: "expireTime";
  /** As texts; empty for never. */
  readonly before: string;
  readonly after: string;
  readonly expireTime: Timestamp;
  /** Why it is so, where the file does not say it; otherwise empty. */
  readonly note: string;
}

/** The server counts a `ttl` from shortly before the record's creation. */
const TOLERANCE_MS = 60_000;

/** The server rejects an expiry that is nearer. */
const MINIMUM_MS = 60_000;

/**
 * The difference of an environment's expiry from the one in a file; undefined if there is none. A
 * `ttl` counts from the creation of the environment, so that applying a file again does not
 * extend it. A file with neither `ttl` nor `expireTime` leaves the expiry as it is.
 * @throws {CliError} usage, if the `ttl` of an environment that was given more time has passed
 */
export function expiryChange(
  { name, place, resource: wanted }: Manifest,
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
  const after = text(expireTime);
  if (wanted.ttl && timestampMs(expireTime) < Date.now() + MINIMUM_MS) {
    throw usageError(
      `Cannot apply '${name}': 'ttl' in '${place}' counts from its creation and ends at ${after}, ` +
        `but it expires ${before ? `at ${before}` : "never"}`,
      "Remove 'ttl' from the file to keep the present expiry, or set a longer one",
    );
  }
  const isShorter = !live.expireTime || timestampMs(expireTime) < timestampMs(live.expireTime);
  const note = wanted.ttl && isShorter
    ? "earlier than at present: the file's 'ttl' counts from the creation; remove it to keep the present expiry"
    : "";
  return { path: "expireTime", before, after, expireTime, note };
}

function wantedTime(
  { ttl, expireTime }: Environment,
  { createTime }: Environment,
): Timestamp | undefined {
  if (expireTime || !ttl || !createTime) return expireTime;
  return timestampFromMs(timestampMs(createTime) + durationMs(ttl));
}

const text = (time: Timestamp): string => timestampDate(time).toISOString();
