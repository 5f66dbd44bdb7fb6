/** Files of settings in YAML, which are refused with the place of what is wrong in them. */
import { readFile } from "node:fs/promises";
import { MpcError, type ReasonOf } from "@mpc/domain";
import { isMap, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";

const MAX_BYTES = 1024 * 1024;

/** A kind of file: its name in messages, the reason of its errors, and what it may contain. */
export interface YamlFileKind<T> {
  /** For instance `access file`. */
  readonly what: string;
  readonly reason: ReasonOf<"INVALID_ARGUMENT">;
  readonly schema: z.ZodType<T>;
}

/**
 * Reads a file and parses its text.
 * @throws {MpcError} INVALID_ARGUMENT with the kind's reason, with `FILE:line:column` where known
 */
export async function readYamlFile<T>(path: string, kind: YamlFileKind<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, kind, error);
  }
  return parseYamlFile(path, text, kind);
}

/**
 * Parses the text of a file.
 * @throws {MpcError} INVALID_ARGUMENT with the kind's reason, with `FILE:line:column`
 */
export function parseYamlFile<T>(path: string, text: string, kind: YamlFileKind<T>): T {
  const invalid = (message: string, cause?: unknown) => invalidFile(kind, message, cause);
  if (text.length > MAX_BYTES) {
    throw invalid(`${path}:1:1: the file is larger than ${MAX_BYTES / 1024} KiB`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const [error] = document.errors;
  if (error) throw invalid(`${place(error.pos[0])}: ${error.message}`, error);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid(`${place(0)}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const checked = kind.schema.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (!issue) throw invalid(`${place(0)}: the content is not valid`);
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const where = at.length > 0 ? `${pathOf(at)}: ` : "";
  throw invalid(`${place(offsetOf(document.contents, at))}: ${where}${problemOf(issue)}`);
}

/** The error of a file that cannot be read. */
export const unreadable = (
  path: string,
  kind: Pick<YamlFileKind<unknown>, "what" | "reason">,
  error: unknown,
): MpcError =>
  invalidFile(
    kind,
    `Cannot read the ${kind.what} '${path}': ${error instanceof Error ? error.message : error}`,
    error,
  );

/** Where in the text a path of the content is, or the nearest parent that is there. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(part));
      if (!pair) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else {
      const items: readonly unknown[] = (node as { items?: readonly unknown[] })?.items ?? [];
      node = items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map((part, index) =>
    typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`
  ).join("");
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "is not a field";
  return issue.message;
}

const invalidFile = (
  { reason }: Pick<YamlFileKind<unknown>, "reason">,
  message: string,
  cause?: unknown,
): MpcError => new MpcError("INVALID_ARGUMENT", { reason, message, cause });
