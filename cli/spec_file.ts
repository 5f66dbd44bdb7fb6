import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { usageError } from "./cli_error.ts";
import { decodeProblem } from "./decode_problem.ts";
import type { Host } from "./host/mod.ts";
import { parseYaml, type YamlDocument } from "./parse_yaml.ts";

/** Largest file that is read. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads one message from a YAML or JSON file, `-` for standard input.
 * @throws {CliError} usage, with line and column, or the path of an unknown field
 */
export async function readSpecFile<Desc extends DescMessage>(
  host: Host,
  schema: Desc,
  path: string,
): Promise<MessageShape<Desc>> {
  const [document, ...more] = parseYaml(await readText(host, path), path);
  if (!document || more.length > 0) {
    throw usageError(`Cannot read '${path}': it must hold one object of fields`);
  }
  return toMessage(schema, document);
}

/**
 * Reads a message strictly: unknown fields are mistakes.
 * @throws {CliError} usage, with line and column where the field is there once
 */
export function toMessage<Desc extends DescMessage>(
  schema: Desc,
  { value, place, find }: YamlDocument,
): MessageShape<Desc> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usageError(`Cannot read '${place}': it must hold one object of fields`);
  }
  try {
    return fromJson(schema, value as JsonValue, { ignoreUnknownFields: false });
  } catch (error) {
    const { problem, field } = decodeProblem(error, schema);
    const at = field === undefined ? undefined : find(field);
    throw usageError(`Cannot read '${place}': ${at ? `${at}: ` : ""}${problem}`);
  }
}

/**
 * The text of a file, `-` for standard input.
 * @throws {CliError} usage
 */
export async function readText(host: Host, path: string): Promise<string> {
  let text: string | undefined;
  try {
    text = path === "-" ? await host.readStdin() : await host.readTextFile(path);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read '${path}': ${detail}`);
  }
  if (text === undefined) throw usageError(`Cannot read '${path}': there is no such file`);
  if (text.length <= MAX_BYTES) return text;
  throw usageError(`Cannot read '${path}': it has more than ${MAX_BYTES} bytes`);
}
