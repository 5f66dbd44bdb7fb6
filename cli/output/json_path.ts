import type { JsonValue } from "@bufbuild/protobuf";
import { JSONPath } from "jsonpath-plus";
import { usageError } from "../errors/cli_error.ts";

/**
 * The results of a JSONPath (RFC 9535), one per line: texts unquoted, everything else as JSON. The
 * path is `$.a.b`, or in kubectl's form `{.a.b}`, including the `.items` of kubectl's lists.
 * @throws {CliError} usage
 */
export function jsonPath(expression: string, json: JsonValue): string {
  const bare = expression.replace(/^\{(.*)\}$/s, "$1");
  if (/[{}]/.test(bare)) {
    throw usageError(`Cannot use jsonpath '${expression}': must be one path, without a template`);
  }
  const rooted = bare.startsWith("$") ? bare : `$${/^[.[]/.test(bare) ? "" : "."}${bare}`;
  const path = Array.isArray(json) ? rooted.replace(/^\$\.items\b/, "$") : rooted;
  try {
    const found: unknown = JSONPath({ path, json: json as object, wrap: true, eval: "safe" });
    if (!Array.isArray(found)) return "";
    return found.map((value) => `${typeof value === "string" ? value : JSON.stringify(value)}\n`)
      .join("");
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot use jsonpath '${expression}': ${detail}`);
  }
}
