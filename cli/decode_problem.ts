import type { DescMessage } from "@bufbuild/protobuf";
import { nearest } from "./nearest.ts";

/** Why JSON is no message of its type. */
export interface DecodeProblem {
  /** As a person can use it. */
  readonly problem: string;
  /** The field that it is about, where that is known. */
  readonly field?: string;
}

/** What is wrong with JSON that is no message of its type. */
export function decodeProblem(error: unknown, schema: DescMessage): DecodeProblem {
  const text = error instanceof Error ? error.message : String(error);
  const [, what, path = "", problem = ""] =
    /^cannot decode (message|field) (\S+) from JSON: (.*)$/s.exec(text) ?? [];
  if (what === undefined) return { problem: text };
  if (path === "google.protobuf.Duration") {
    return { problem: `${problem} is no duration: must be in seconds, such as "28800s"` };
  }
  if (path === "google.protobuf.Timestamp") {
    return { problem: `${problem} is no time: must be as in "2030-01-01T00:00:00Z"` };
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

/** The fields of a message of that type, which is the schema's own or somewhere inside it. */
function fieldNames(schema: DescMessage, typeName: string): readonly string[] {
  const seen = new Set([schema]);
  for (const desc of seen) {
    if (desc.typeName === typeName) return desc.fields.map(({ jsonName }) => jsonName);
    for (const { message } of desc.fields) if (message) seen.add(message);
  }
  return [];
}
