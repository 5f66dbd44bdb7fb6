import type { JsonValue } from "@bufbuild/protobuf";
import type { OutputFormat } from "./format.ts";

/** A value in the format for programs that was asked for. */
export async function machineText(output: OutputFormat, value: JsonValue): Promise<string> {
  switch (output.kind) {
    case "name":
      return namesOf(value).map((name) => `${name}\n`).join("");
    case "jsonl":
      return (Array.isArray(value) ? value : [value])
        .map((item) => `${JSON.stringify(item)}\n`).join("");
    case "jsonpath": {
      const { jsonPath } = await import("./json_path.ts");
      return jsonPath(output.expression, value);
    }
    case "yaml": {
      const { stringify } = await import("yaml");
      return stringify(value);
    }
    default:
      return `${JSON.stringify(value, null, 2)}\n`;
  }
}

function namesOf(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesOf);
  const named = typeof value === "object" && value !== null && typeof value["name"] === "string";
  return named ? [String(value["name"])] : [];
}
