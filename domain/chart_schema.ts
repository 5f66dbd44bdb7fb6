/** Schema of a chart, which a workload may have in place of an image. */
import { z } from "zod";
import type { JsonObject, JsonValue } from "./json.ts";
import { check } from "./parse_input.ts";

const MAX_VALUES_BYTES = 64 * 1024;
const MAX_VALUES_DEPTH = 16;

const PART = "[a-zA-Z0-9][a-zA-Z0-9._-]*";
const NAME = new RegExp(`^(?:oci://${PART}(?::[0-9]{1,5})?/)?${PART}(?:/${PART})*$`);

/** Semantic Versioning 2.0.0, exact: a range could render something else tomorrow. */
const VERSION =
  /^v?(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

const values = z.custom<JsonObject>(
  (value) => isPlainObject(value) && isJson(value, MAX_VALUES_DEPTH) && sizeOf(value) > 0,
  check("VALUES", `must be an object of JSON, at most 64 KiB and ${MAX_VALUES_DEPTH} levels deep`),
);

export const chartSchema = z.strictObject({
  name: z.string().max(255).refine(
    (name) => NAME.test(name),
    check("CHART_NAME", "must be the name of a chart, such as web or team/web, or oci://…"),
  ),
  version: z.string().max(64).refine(
    (version) => VERSION.test(version),
    check("VERSION", "must be an exact version such as 1.4.2"),
  ),
  values: values.default({}),
});

function sizeOf(value: JsonObject): number {
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  return bytes <= MAX_VALUES_BYTES ? bytes : 0;
}

function isJson(value: unknown, depth: number): value is JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1));
  return isPlainObject(value) && Object.values(value).every((item) => isJson(item, depth - 1));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
