import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import {
  type Duration,
  DurationSchema,
  type Timestamp,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { type FieldViolation, invalidArgument, separateWords } from "@mpc/domain";
import type { Interceptor } from "@mpc/process";

/**
 * Rejects requests with timestamps and durations that are none by their definitions
 * (google/protobuf/timestamp.proto, duration.proto). JSON cannot spell them, binary messages can.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, with every such field
 */
export const validTimes: Interceptor = {
  around(call, next) {
    const { method, request } = call;
    // Streams of requests have no times.
    if (Symbol.asyncIterator in request || !hasTimes(method.input)) return next(call);
    const violations = problemsOf(method.input, request, "");
    if (violations.length > 0) {
      return Promise.reject(invalidArgument(separateWords(method.name, " "), violations));
    }
    return next(call);
  },
};

const CHECKS: Readonly<
  Record<string, { readonly isValid: (time: Message) => boolean; rule: string; hint: string }>
> = {
  [TimestampSchema.typeName]: {
    isValid: (time) => isTimestamp(time as Timestamp),
    rule: "TIMESTAMP",
    hint: "must be a moment of the years 1 to 9999, with nanos from 0 to 999999999",
  },
  [DurationSchema.typeName]: {
    isValid: (time) => isDuration(time as Duration),
    rule: "DURATION",
    hint: "must be at most 10000 years, with nanos of its sign up to 999999999",
  },
};

const MAX_NANOS = 999_999_999;

function isTimestamp({ seconds, nanos }: Timestamp): boolean {
  return seconds >= -62_135_596_800n && seconds <= 253_402_300_799n && nanos >= 0 &&
    nanos <= MAX_NANOS;
}

function isDuration({ seconds, nanos }: Duration): boolean {
  const sameSign = seconds === 0n || nanos === 0 || (seconds > 0n) === (nanos > 0);
  return sameSign && seconds >= -315_576_000_000n && seconds <= 315_576_000_000n &&
    Math.abs(nanos) <= MAX_NANOS;
}

const WITH_TIMES = new WeakMap<DescMessage, boolean>();

/** Whether a message may hold times; most requests do not, and are not looked through. */
function hasTimes(desc: DescMessage): boolean {
  const known = WITH_TIMES.get(desc);
  if (known !== undefined) return known;
  WITH_TIMES.set(desc, false); // While it is found out, for messages that hold their own kind.
  const found = Object.hasOwn(CHECKS, desc.typeName) ||
    desc.fields.some(({ message }) => message && hasTimes(message));
  WITH_TIMES.set(desc, found);
  return found;
}

function problemsOf(desc: DescMessage, message: object, path: string): readonly FieldViolation[] {
  const check = CHECKS[desc.typeName];
  if (check) {
    const { isValid, rule, hint } = check;
    return isValid(message as Message) ? [] : [{ field: path, value: "", rule, hint }];
  }
  return desc.fields.flatMap((field) => {
    if (!field.message || !hasTimes(field.message)) return [];
    const of = field.message;
    const at = path === "" ? field.name : `${path}.${field.name}`;
    const value = valueOf(field, message);
    if (typeof value !== "object" || value === null) return [];
    if (field.fieldKind === "message") return problemsOf(of, value, at);
    return Object.entries(value).flatMap(([key, inner]) => problemsOf(of, inner, `${at}[${key}]`));
  });
}

function valueOf({ oneof, localName }: DescField, message: object): unknown {
  if (!oneof) return Reflect.get(message, localName);
  const chosen = Reflect.get(message, oneof.localName);
  return chosen?.case === localName ? chosen.value : undefined;
}
