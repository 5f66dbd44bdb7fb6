import {
  type FieldViolation,
  invalidArgument,
  type JsonObject,
  type JsonValue,
  REDACTED,
  type WorkloadSpec,
} from "@mpc/domain";

/**
 * Restores the secrets of a spec that was read from a response and sent back: a redacted value
 * means the current value.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` if there is no current value
 */
export function keepRedacted(
  action: string,
  wanted: WorkloadSpec,
  current: WorkloadSpec | undefined,
): WorkloadSpec {
  const missing: string[] = [];
  const env = keepIn(wanted.env, current?.env ?? {}, "workload.spec.env", missing);
  const { chart } = wanted;
  const before = current?.chart?.values ?? {};
  const values = chart && keepIn(chart.values, before, "workload.spec.chart.values", missing);
  if (missing.length > 0) throw invalidArgument(action, missing.map(violation));
  return { ...wanted, env, chart: chart && values && { ...chart, values } };
}

function violation(field: string): FieldViolation {
  const hint = "is redacted, and there is no value to keep; set a new value";
  return { field, value: REDACTED, rule: "REDACTED", hint };
}

/** Restores redacted values; adds the paths of values that cannot be restored to `missing`. */
function keepIn<Values extends JsonObject>(
  wanted: Values,
  current: JsonObject,
  path: string,
  missing: string[],
): Values {
  const entries = Object.entries(wanted).map(([key, value]) => {
    const before = Object.hasOwn(current, key) ? current[key] : undefined;
    return [key, keep(value, before, `${path}[${key}]`, missing)];
  });
  return Object.fromEntries(entries);
}

function keep(
  wanted: JsonValue,
  current: JsonValue | undefined,
  path: string,
  missing: string[],
): JsonValue {
  if (wanted === REDACTED) {
    if (current === undefined || isNested(current)) missing.push(path);
    return current ?? null;
  }
  if (isList(wanted)) {
    const before = current !== undefined && isList(current) ? current : [];
    return wanted.map((item, index) => keep(item, before[index], `${path}[${index}]`, missing));
  }
  if (!isNested(wanted)) return wanted;
  return keepIn(wanted, isNested(current) && !isList(current) ? current : {}, path, missing);
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

const isNested = (value: JsonValue | undefined): value is JsonObject | readonly JsonValue[] =>
  typeof value === "object" && value !== null;
