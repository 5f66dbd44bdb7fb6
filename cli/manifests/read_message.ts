import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { usageError } from "../errors/cli_error.ts";
import { nearest } from "../errors/nearest.ts";
import type { Host } from "../host/mod.ts";
import { parseYaml, type YamlDocument } from "./parse_yaml.ts";

/** The size of the largest file that is read. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads the fields of a resource from a YAML or JSON file, `-` for standard input.
 * @param name of the resource; the file may leave it out
 * @throws {CliError} usage, with line and column, the path of an unknown field, or another name
 */
export async function readSpecFile<Desc extends DescMessage>(
  host: Host,
  schema: Desc,
  path: string,
  name: string,
): Promise<MessageShape<Desc>> {
  const [document, ...more] = parseYaml(await readText(host, path), path);
  if (!document || more.length > 0) {
    throw usageError(`Cannot read '${path}': it must hold one object of fields`);
  }
  const message = toMessage(schema, document);
  const found = Reflect.get(message, "name");
  if (found === "" || found === name) return message;
  throw usageError(
    `Cannot read '${path}': it is about '${found}', not about '${name}'`,
    "Remove 'name' from the file, or use 'mpctl apply -f'",
  );
}

/**
 * Parses a message strictly: unknown fields are errors.
 * @throws {CliError} usage, with line and column if the field occurs exactly once
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

/** Why JSON cannot be decoded. */
export interface DecodeProblem {
  /** Shown to the user. */
  readonly problem: string;
  /** The invalid field, if it is known. */
  readonly field?: string;
}

/** Explains why JSON cannot be decoded as a message. */
export function decodeProblem(error: unknown, schema: DescMessage): DecodeProblem {
  const text = error instanceof Error ? error.message : String(error);
  const [, what, path = "", problem = ""] =
    /^cannot decode (message|field) (\S+) from JSON: (.*)$/s.exec(text) ?? [];
  if (what === undefined) return { problem: text };
  if (path === "google.protobuf.Duration") {
    return { problem: `${problem} is not a duration: must be in seconds, such as "28800s"` };
  }
  if (path === "google.protobuf.Timestamp") {
    return { problem: `${problem} is not a time: must be like "2030-01-01T00:00:00Z"` };
  }
  const unknown = /^key "(.*)" is unknown$/s.exec(problem)?.[1];
  if (unknown === undefined) {
    const field = nameOf(path);
    return what === "field" ? { problem: `'${field}': ${problem}`, field } : { problem };
  }
  const guess = nearest(unknown, fieldNames(schema, path));
  return {
    problem: `there is no field '${unknown}'${guess ? `. ${guess}` : ""}`,
    field: unknown,
  };
}

const nameOf = (path: string) => path.slice(path.lastIndexOf(".") + 1);

/** The fields of the message type with that name, which is the schema's own or nested in it. */
function fieldNames(schema: DescMessage, typeName: string): readonly string[] {
  const seen = new Set([schema]);
  for (const desc of seen) {
    if (desc.typeName === typeName) return desc.fields.map(({ jsonName }) => jsonName);
    for (const { message } of desc.fields) if (message) seen.add(message);
  }
  return [];
}
