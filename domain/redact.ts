import type { JsonObject, JsonValue } from "./json.ts";
import type { WorkloadSpec } from "./workload.ts";

/** Replaces secret values wherever a spec is shown. */
export const REDACTED = "(redacted)";

/** The spec without its secrets, for responses, events and logs. */
export function redactSpec(spec: WorkloadSpec): WorkloadSpec {
  const env = Object.fromEntries(Object.keys(spec.env).map((key) => [key, REDACTED]));
  const { chart } = spec;
  return { ...spec, env, chart: chart && { ...chart, values: redactValues(chart.values) } };
}

function redactValues(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, redact(value)]));
}

function redact(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(redact);
  return isObject(value) ? redactValues(value) : REDACTED;
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null;
