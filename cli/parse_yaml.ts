import { LineCounter, parseAllDocuments } from "yaml";
import { usageError } from "./cli_error.ts";

/** One document of a file. */
export interface YamlDocument {
  readonly value: unknown;
  /** For messages: the file, and the line where it starts where it is not the only one. */
  readonly place: string;
}

/**
 * Parses YAML, of which JSON is a part. Empty documents are left out.
 * @throws {CliError} usage, with line and column
 */
export function parseYaml(text: string, path: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = "empty" in parsed ? [] : parsed;
  for (const { errors: [problem] } of documents) {
    if (!problem) continue;
    const { line, col } = lines.linePos(problem.pos[0]);
    throw usageError(`Cannot read '${path}': line ${line}, column ${col}: ${problem.message}`);
  }
  return documents.map((document) => {
    const start = document.contents?.range?.[0] ?? 0;
    const place = documents.length === 1 ? path : `${path}:${lines.linePos(start).line}`;
    return { value: toPlain(document, path), place };
  }).filter(({ value }) => value !== null);
}

function toPlain(
  document: { toJS: (options: { maxAliasCount: number }) => unknown },
  path: string,
) {
  try {
    // Aliases of aliases can make a small file endless.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read '${path}': ${detail}`);
  }
}
