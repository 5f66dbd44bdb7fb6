import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type WorkloadSpec, WorkloadSpecSchema } from "@mpc/proto";

/** Fields below which values may be secret. */
const SECRET = /^spec\.(env|chart\.values)\./;

/** A spec's fields as path and text, lists as JSON; secret values are not shown. */
export function specText(spec: WorkloadSpec): readonly [path: string, text: string][] {
  return flatten("spec", toJson(WorkloadSpecSchema, spec)).map(([path, text]) => [
    path,
    SECRET.test(path) ? "(redacted)" : text,
  ]);
}

function flatten(path: string, value: JsonValue): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => flatten(`${path}.${key}`, inner));
}
