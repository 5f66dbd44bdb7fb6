import { usageError } from "../cli_error.ts";

export const FORMATS = ["table", "wide", "json", "jsonl", "yaml", "name"] as const;

/** How results are printed. */
export type OutputFormat =
  | { readonly kind: typeof FORMATS[number] }
  | { readonly kind: "jsonpath"; readonly expression: string };

/** The formats as `--help` lists them. */
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

/** Whether people read it: only then are there tables, ages and remarks. */
export function isForPeople({ kind }: OutputFormat): boolean {
  return kind === "table" || kind === "wide";
}
