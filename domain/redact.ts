import type { JsonObject, JsonValue } from "./json.ts";
import type { WorkloadSpec } from "./workload.ts";

/** Replaces secret values wherever a spec is shown. */
export const REDACTED = "(redacted)";

/** Changes one secret value, at a path inside of a document. */
export type ChangeSecret = (value: JsonValue, path: readonly string[]) => JsonValue;

/** The spec without its secrets, for responses, events and logs. */
export const redactSpec = (spec: WorkloadSpec): WorkloadSpec => mapSecrets(spec, () => REDACTED);

/**
 * Replaces the secret values of a spec: those of its variables, and every value of its chart. What is
 * not replaced here counts as public everywhere.
 * @param change must return text for the value of a variable
 */
export function mapSecrets<Spec extends Pick<WorkloadSpec, "env" | "chart">>(
  spec: Spec,
  change: ChangeSecret,
): Spec {
  const { chart } = spec;
  return {
    ...spec,
    env: mapObject(spec.env, ["env"], change),
    ...(chart && {
      chart: { ...chart, values: mapObject(chart.values, ["chart", "values"], change) },
    }),
  };
}

function mapObject(
  values: JsonObject,
  path: readonly string[],
  change: ChangeSecret,
): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, mapValue(value, [...path, key], change)]),
  );
}

function mapValue(value: JsonValue, path: readonly string[], change: ChangeSecret): JsonValue {
  if (Array.isArray(value)) {
    return value.map((each, index) => mapValue(each, [...path, String(index)], change));
  }
  return isObject(value) ? mapObject(value, path, change) : change(value, path);
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null;
