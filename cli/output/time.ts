/** Times as people read them. */
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import prettyMilliseconds from "pretty-ms";

/** How long ago, in the largest unit: `5m`, `3d`; `-` for never. */
export function age(time: Timestamp | undefined, now = Date.now()): string {
  return time ? compact(now - timestampMs(time)) : "-";
}

/** How long until, in the largest unit: `8h`; `-` for never, `now` when it has passed. */
export function until(time: Timestamp | undefined, now = Date.now()): string {
  if (!time) return "-";
  const ms = timestampMs(time) - now;
  return ms <= 0 ? "now" : compact(ms);
}

/** How long from one moment to another, or to now. */
export function between(
  start: Timestamp | undefined,
  end: Timestamp | undefined,
  now = Date.now(),
): string {
  if (!start) return "-";
  const ms = (end ? timestampMs(end) : now) - timestampMs(start);
  return prettyMilliseconds(Math.max(0, ms), { secondsDecimalDigits: 1, unitCount: 2 });
}

function compact(ms: number): string {
  return ms < 1_000 ? "0s" : prettyMilliseconds(ms, { compact: true });
}
