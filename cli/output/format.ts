import type { JsonValue } from "@bufbuild/protobuf";
import { usageError } from "../errors/cli_error.ts";

export const FORMATS = ["table", "wide", "json", "jsonl", "yaml", "name"] as const;

/** How results are printed. */
export type OutputFormat =
  | { readonly kind: typeof FORMATS[number] }
  | { readonly kind: "jsonpath"; readonly expression: string };

/** The formats, as `--help` lists them. */
export const FORMAT_HELP = `${FORMATS.join(", ")} or jsonpath=EXPRESSION`;

/** @throws {CliError} usage */
export function parseOutput(text: string): OutputFormat {
  const kind = FORMATS.find((known) => known === text);
  if (kind) return { kind };
  if (text.startsWith("jsonpath=") && text.length > "jsonpath=".length) {
    return { kind: "jsonpath", expression: text.slice("jsonpath=".length) };
  }
  throw usageError(`Cannot print as '${text}': -o must be ${FORMAT_HELP}`);
}

/** Whether the format is for people: only then are tables, ages and hints printed. */
export function isForPeople({ kind }: OutputFormat): boolean {
  return kind === "table" || kind === "wide";
}

/** Formats a value for programs. */
export async function machineText(output: OutputFormat, value: JsonValue): Promise<string> {
  switch (output.kind) {
    case "name": {
      const names = namesOf(value);
      if (names.length === 0 && !(Array.isArray(value) && value.length === 0)) {
        throw usageError("Cannot print as 'name': what this command prints has no name");
      }
      return names.map((name) => `${name}\n`).join("");
    }
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
