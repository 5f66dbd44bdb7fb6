/** The rule of one-way imports between rooms, checked over the module graph. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";

/** Which other rooms a room may import; `storage` and `worker` adapters have rules of their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  proto: [],
  storage: ["domain"],
  services: ["domain", "storage"],
  process: ["services", "domain"],
  platform: [],
  api: ["proto", "services", "domain", "process"],
  worker: ["services", "domain", "storage", "process"],
  client: ["proto"],
  cli: ["client", "proto"],
  ui: ["client", "proto"],
};

/** Composition roots wire adapters, so they may import anything but tests. */
const ROOTS = [
  /\/main\.ts$/,
  /^api\/(?:dev|all_in_one|start_api)\.ts$/,
  /^worker\/start_worker\.ts$/,
  /^platform\//,
];

/** The worker's side of what it and the API say to each other. */
const SPEAKS_PROTO = "worker/internal/";

/** What other rooms than the roots may import of storage: the ports alone. */
const STORAGE_PORTS = ["storage/store.ts"];

/** Chooses a store by its address: inside storage the only file that imports adapters. */
const CHOOSES_STORE = "storage/open_store.ts";

/** What an adapter of storage may import of its room besides its own folder. */
const STORAGE_SHARED = /^storage\/(?:store\.ts$|shared\/)/;

export interface SourceFile {
  /** Path from the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** Reads every source file of the rooms and the tests. */
export async function readSources(root: string): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  const present = await readdir(root);
  for (const room of [...Object.keys(MAY_IMPORT), "tests"]) {
    if (!present.includes(room)) continue;
    const entries = await readdir(join(root, room), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      files.push({ path: relative(root, path), text: await readFile(path, "utf8") });
    }
  }
  return files;
}

/** Every edge that breaks the rule, spelled out. */
export function brokenEdges(
  files: readonly SourceFile[],
  aliases: Readonly<Record<string, string>>,
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap((specifier) => {
      const target = resolve(path, specifier, aliases);
      const problem = target && problemOf(path, target, specifier);
      return problem ? [`${path} → ${target}: ${problem}`] : [];
    })
  );
}

/** Files outside `config.ts`, mpctl's seam to its process and the tests that read the environment. */
export function environmentReaders(files: readonly SourceFile[]): readonly string[] {
  return files.filter(({ path, text }) =>
    !path.startsWith("tests/") && !path.endsWith("_test.ts") && !path.endsWith("/config.ts") &&
    !path.startsWith("cli/host/") &&
    /\b(?:Deno\.env|process\.env)\b/.test(text)
  ).map(({ path }) => path);
}

function importsOf(text: string): readonly string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s*"([^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function resolve(
  from: string,
  specifier: string,
  aliases: Readonly<Record<string, string>>,
): string | undefined {
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  const target = aliases[specifier];
  return target?.startsWith("./") ? normalize(target) : undefined;
}

function problemOf(from: string, to: string, specifier: string): string | undefined {
  const [fromRoom = "", toRoom = ""] = [from.split("/")[0], to.split("/")[0]];
  if (fromRoom === "tests" || from.endsWith("_test.ts")) return undefined;
  if (toRoom === "tests") return "nothing imports tests";
  if (fromRoom === toRoom) {
    if (!specifier.startsWith(".")) return "inside a room imports are relative";
    return fromRoom === "storage" ? problemInStorage(from, to) : undefined;
  }
  if (specifier.startsWith(".")) return "across rooms imports use the import map's alias";
  if (ROOTS.some((root) => root.test(from))) return undefined;
  if (from.startsWith(SPEAKS_PROTO) && toRoom === "proto") return undefined;
  const allowed = MAY_IMPORT[fromRoom] ?? [];
  if (!allowed.includes(toRoom)) {
    return `${fromRoom} may import ${allowed.join(", ") || "nothing"} only`;
  }
  if (toRoom === "storage" && !STORAGE_PORTS.includes(to)) return "only the ports of storage";
  return undefined;
}

/** Adapters do not know each other, and nothing but the chooser knows them. */
function problemInStorage(from: string, to: string): string | undefined {
  if (from === CHOOSES_STORE || STORAGE_SHARED.test(to)) return undefined;
  const [fromFolder, toFolder] = [dirname(from), dirname(to)];
  if (toFolder === fromFolder || toFolder.startsWith(`${fromFolder}/`)) {
    return fromFolder === "storage" ? "only open_store.ts imports adapters" : undefined;
  }
  return "adapters import the ports, shared/ and their own files only";
}
