/** Times, formatted for people. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import prettyMilliseconds from "pretty-ms";

/** A time in a message, or in its JSON (RFC 3339). */
type Moment = Timestamp | string;

/** The time since `time`, in its largest unit: `5m`, `3d`; `-` without a time. */
export function age(time: Moment | undefined, now = Date.now()): string {
  return time ? compact(now - msOf(time)) : "-";
}

/** The time until `time`, in its two largest units: `7h59m`; `-` without a time. */
export function until(time: Moment | undefined, now = Date.now()): string {
  if (!time) return "-";
  const ms = msOf(time) - now;
  if (ms <= 0) return "now";
  return prettyMilliseconds(ms, { unitCount: 2, secondsDecimalDigits: 0 }).replaceAll(" ", "");
}

/** The time between two times, or until now. */
export function between(
  start: Moment | undefined,
  end: Moment | undefined,
  now = Date.now(),
): string {
  if (!start) return "-";
  return elapsed((end ? msOf(end) : now) - msOf(start));
}

/** A time span in its two largest units: `1.2s`, `3m 5s`. */
export function elapsed(ms: number): string {
  return prettyMilliseconds(Math.max(0, Math.round(ms)), { secondsDecimalDigits: 1, unitCount: 2 });
}

function compact(ms: number): string {
  return ms < 1_000 ? "0s" : prettyMilliseconds(ms, { compact: true });
}

function msOf(moment: Moment): number {
  if (typeof moment === "string") return Date.parse(moment);
  return Number(moment.seconds) * 1_000 + moment.nanos / 1e6;
}
