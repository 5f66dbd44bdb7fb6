import { readFile } from "node:fs/promises";
import { MpcError } from "@mpc/domain";
import { isMap, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { ACCESS_SETTINGS, type AccessSettings } from "./settings.ts";

const MAX_BYTES = 1024 * 1024;

/**
 * Reads an access file.
 * @throws {MpcError} INVALID_ARGUMENT `ACCESS_FILE_INVALID`, with `FILE:line:column` where known
 */
export async function readAccessFile(path: string): Promise<AccessSettings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`Cannot read the access file '${path}': ${why}`, error);
  }
  return parseAccessFile(path, text);
}

/**
 * Parses the text of an access file.
 * @throws {MpcError} as {@linkcode readAccessFile} documents
 */
export function parseAccessFile(path: string, text: string): AccessSettings {
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
  const checked = ACCESS_SETTINGS.safeParse(content);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (!issue) throw invalid(`${place(0)}: the content is not valid`);
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const where = at.length > 0 ? `${pathOf(at)}: ` : "";
  throw invalid(`${place(offsetOf(document.contents, at))}: ${where}${problemOf(issue)}`);
}

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

const invalid = (message: string, cause?: unknown): MpcError =>
  new MpcError("INVALID_ARGUMENT", { reason: "ACCESS_FILE_INVALID", message, cause });
