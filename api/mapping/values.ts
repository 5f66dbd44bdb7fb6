import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Instant } from "@mpc/domain";

/** A moment on the wire; unset for none. */
export const toTimestamp = (time: Instant | null): Timestamp | undefined =>
  time === null ? undefined : timestampFromMs(time);

/** A duration of the wire in milliseconds; null where it is unset. */
export const fromDuration = (duration: Duration | undefined): number | null =>
  duration === undefined ? null : durationMs(duration);
