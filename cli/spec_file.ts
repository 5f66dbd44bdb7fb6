import { type DescMessage, fromJson, type JsonObject, type MessageShape } from "@bufbuild/protobuf";
import { LineCounter, parseDocument } from "yaml";
import { usageError } from "./cli_error.ts";

/** Largest file that is read. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads one message from a YAML or JSON file, `-` for standard input.
 * @throws {CliError} usage, with line and column, or the path of an unknown field
 */
export async function readSpecFile<Desc extends DescMessage>(
  schema: Desc,
  path: string,
): Promise<MessageShape<Desc>> {
  const text = await readText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw usageError(`Cannot read '${path}': line ${line}, column ${col}: ${problem.message}`);
  }
  const value: unknown = document.toJS();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usageError(`Cannot read '${path}': it must hold one object of fields`);
  }
  try {
    return fromJson(schema, value as JsonObject, { ignoreUnknownFields: false });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read '${path}': ${detail}`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    // Loaded here, because a bundle would load it at every start.
    const { readFile } = await import("node:fs/promises");
    const text = path === "-" ? await readStdin() : await readFile(path, "utf8");
    if (text.length <= MAX_BYTES) return text;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read '${path}': ${detail}`);
  }
  throw usageError(`Cannot read '${path}': it has more than ${MAX_BYTES} bytes`);
}

async function readStdin(): Promise<string> {
  const { default: process } = await import("node:process");
  const chunks: string[] = [];
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) chunks.push(chunk);
  return chunks.join("");
}
