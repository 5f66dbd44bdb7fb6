import type { JsonObject as WireObject, JsonValue as WireValue } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Instant, JsonObject, JsonValue } from "@mpc/domain";

/** A time as a protobuf message. */
export function timestamp(time: Instant): Timestamp {
  const seconds = Math.floor(time / 1_000);
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: BigInt(seconds),
    nanos: Math.round((time - seconds * 1_000) * 1e6),
  };
}

/** A time as a protobuf message; unset for none. */
export const toTimestamp = (time: Instant | null): Timestamp | undefined =>
  time === null ? undefined : timestamp(time);

/** A protobuf duration in milliseconds; null if it is unset. */
export const fromDuration = (duration: Duration | undefined): number | null =>
  duration === undefined ? null : durationMs(duration);

/** JSON in protobuf's type, which is writable. */
export function toStruct(object: JsonObject): WireObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, toValue(value)]));
}

function toValue(value: JsonValue): WireValue {
  if (typeof value !== "object" || value === null) return value;
  return isList(value) ? value.map(toValue) : toStruct(value);
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
