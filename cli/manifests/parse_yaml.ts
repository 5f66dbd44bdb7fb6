import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from "yaml";
import { usageError } from "../errors/cli_error.ts";

/** One document of a file. */
export interface YamlDocument {
  readonly value: unknown;
  /** For messages: the file, with the line where the document starts if there are several. */
  readonly place: string;
  /** The position of a key, such as `line 2, column 5`; undefined unless it occurs exactly once. */
  readonly find: (key: string) => string | undefined;
}

/**
 * Parses YAML, which includes JSON. Skips empty documents.
 * @throws {CliError} usage, with line and column
 */
export function parseYaml(text: string, path: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = "empty" in parsed ? [] : parsed;
  for (const { errors: [problem] } of documents) {
    if (!problem) continue;
    const place = placeOf(lines, problem.pos[0]);
    throw usageError(`Cannot read '${path}': ${place}: ${problem.message}`);
  }
  return documents.map((document) => {
    const start = document.contents?.range?.[0] ?? 0;
    const place = documents.length === 1 ? path : `${path}:${lines.linePos(start).line}`;
    const find = (key: string) => {
      const [found, ...more] = startsOf(document, key);
      return found === undefined || more.length > 0 ? undefined : placeOf(lines, found);
    };
    return { value: toPlain(document, path), place, find };
  }).filter(({ value }) => value !== null);
}

function placeOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

/** The offsets of the keys with that name. */
function startsOf(document: Document, wanted: string): readonly number[] {
  const starts: number[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && String(key.value) === wanted && key.range) starts.push(key.range[0]);
    },
  });
  return starts;
}

function toPlain(
  document: { toJS: (options: { maxAliasCount: number }) => unknown },
  path: string,
) {
  try {
    // Nested aliases can make a small file expand without limit.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read '${path}': ${detail}`);
  }
}
