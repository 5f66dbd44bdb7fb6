/** The rule of texts: who may act on the text of an error. */
import type { SourceFile } from "./module_graph.ts";

/** What texts of errors are called. */
const TEXT = String.raw`(?:rawMessage|message|details?|stderr|lastLog|said|told)`;

/** A method that looks for something within a text. */
const SEEK = String.raw`(?:includes|startsWith|endsWith|match|matchAll|search|indexOf)`;

/** A comparison with a literal text; comparing two messages only finds changes. */
const COMPARED = String.raw`\s*[!=]==\s*(?:"[^"]|'[^']|\`[^\`])`;

/** Files, and folders, that read texts of other programs, which give nothing else; with the source. */
export const TEXT_READERS: readonly (readonly [path: string, why: string])[] = [
  ["api/grpc/explain_refusals.ts", "grpc-js refuses requests by texts of its own"],
  ["cli/manifests/read_message.ts", "protobuf-es describes what it cannot decode"],
  ["client/errors.ts", "Deno's fetch and grpc-js describe connections that fail"],
  ["storage/mongodb/errors.ts", "proxies and compatible servers that give no code of MongoDB's"],
  ["storage/sqlite/errors.ts", "node:sqlite: errors of `exec` have no code"],
  ["worker/engine/dispatcher.ts", "not to write the same reason for waiting again"],
  ["worker/engine/temporal/connect.ts", "Temporal's native library describes errors of rustls"],
  ["worker/engine/temporal/engine_errors.ts", "the same library: the innermost message is shown"],
  ["worker/providers/kubernetes/client/fetch_failure.ts", "Deno's fetch, as in client/"],
  ["worker/providers/kubernetes/client/status_error.ts", "API servers: admission, RBAC, conflicts"],
  [
    "worker/providers/kubernetes/deletion/deletion_blockers.ts",
    "a condition of the namespace controller",
  ],
  [
    "worker/providers/kubernetes/rollout/event_failure.ts",
    "warnings of the kubelet and of the controllers of volumes",
  ],
  ["worker/providers/kubernetes/rollout/failure_hint.ts", "the kubelet and the container runtime"],
  ["worker/providers/kubernetes/rollout/pod_failure.ts", "the kubelet and the container runtime"],
  ["worker/providers/kubernetes/rollout/waiting_reason.ts", "warnings of the kubelet"],
  ["worker/providers/simulated/state_file.ts", "node:sqlite, as in storage/"],
];

/** Places that the list does not have, as `path:line`. */
export function textReaders(files: readonly SourceFile[]): readonly string[] {
  return readsOf(files).filter(({ path }) =>
    !TEXT_READERS.some(([allowed]) => covers(allowed, path))
  )
    .map(({ path, line }) => `${path}:${line}`);
}

/** Entries of the list that nothing needs. */
export function idleTextReaders(files: readonly SourceFile[]): readonly string[] {
  const reads = readsOf(files);
  return TEXT_READERS.map(([allowed]) => allowed)
    .filter((allowed) => !reads.some(({ path }) => covers(allowed, path)));
}

interface Read {
  readonly path: string;
  readonly line: number;
}

function readsOf(files: readonly SourceFile[]): readonly Read[] {
  return files.filter(({ path }) =>
    !path.startsWith("tests/") && !path.startsWith("proto/") && !/_test\.tsx?$/.test(path)
  ).flatMap(({ path, text }) => {
    const reads = readerOf(text);
    return text.split("\n").flatMap((line, index) =>
      !/^\s*(?:\/\/|\*|\/\*)/.test(line) && reads.test(line) ? [{ path, line: index + 1 }] : []
    );
  });
}

/** What reads a text in this file: also variables that hold the message of an error. */
function readerOf(text: string): RegExp {
  const name = [TEXT, ...holdersIn(text)].join("|");
  const found = String.raw`\b(?:${name})(?: \?\? "")?\)?\??\.${SEEK}\(`;
  const tested = String.raw`\.(?:test|exec)\(\s*\(?(?:[\w.?[\]]+\??\.)?\b(?:${name})\b`;
  const compared = String.raw`\.(?:rawMessage|message)${COMPARED}`;
  return new RegExp([found, tested, compared].join("|"));
}

/** Variables with the message of an error, and variables that are made from these. */
function holdersIn(text: string): readonly string[] {
  const direct = [
    ...text.matchAll(/\b(?:const|let) (\w+) = [^;]*?(?:\.message\b|String\(error\))/g),
    ...text.matchAll(/\b(\w+)\.push\([^;]*?\.message\b/g),
  ].map(([, name]) => name!);
  if (direct.length === 0) return [];
  const derived = new RegExp(String.raw`\b(?:const|let) (\w+) = (?:${direct.join("|")})\.`, "g");
  return [...direct, ...[...text.matchAll(derived)].map(([, name]) => name!)];
}

const covers = (allowed: string, path: string): boolean =>
  allowed.endsWith("/") ? path.startsWith(allowed) : path === allowed;
