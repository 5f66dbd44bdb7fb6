import type { DescMessage } from "@bufbuild/protobuf";
import { nearest } from "./nearest.ts";

/** What is wrong with JSON that is no message of its type, as a person can use it. */
export function decodeProblem(error: unknown, schema: DescMessage): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, what, path = "", problem = ""] =
    /^cannot decode (message|field) (\S+) from JSON: (.*)$/s.exec(text) ?? [];
  if (what === undefined) return text;
  if (path === "google.protobuf.Duration") {
    return `${problem} is no duration: must be in seconds, such as "28800s"`;
  }
  if (path === "google.protobuf.Timestamp") {
    return `${problem} is no time: must be as in "2030-01-01T00:00:00Z"`;
  }
  const unknown = /^key "(.*)" is unknown$/s.exec(problem)?.[1];
  if (unknown === undefined) return what === "field" ? `'${nameOf(path)}': ${problem}` : problem;
  const guess = nearest(unknown, fieldNames(schema, path));
  return `there is no field '${unknown}'${guess ? `. ${guess}` : ""}`;
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
