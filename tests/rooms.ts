/** The rule of one-way imports between rooms, checked over the module graph. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import type { Module, SourceFile } from "./module_graph.ts";

/** Which other rooms a room may import; `storage` and `worker` adapters have rules of their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  proto: [],
  storage: ["domain"],
  services: ["domain", "storage"],
  process: ["services", "domain"],
  telemetry: ["services", "domain", "storage", "process"],
  access: ["services", "domain", "storage", "process"],
  platform: [],
  api: ["proto", "services", "domain", "process"],
  worker: ["services", "domain", "storage", "process"],
  client: ["proto"],
  cli: ["client", "proto"],
  ui: ["client", "proto"],
  deploy: [],
  docs: ["deploy", "access", "services", "cli", "proto", "api", "domain", "process", "telemetry"],
  examples: ["client", "proto"],
};

/** Composition roots wire adapters, so they may import anything but tests. */
const ROOTS = [
  /^[^/]+\/main\.ts$/,
  /^api\/(?:dev|dev_temporal|all_in_one|start_api)\.ts$/,
  /^worker\/start_worker\.ts$/,
  /^ui\/config\.ts$/, // settings of ui/main.ts
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

/** Rooms that are not part of the product and import their files by relative paths. */
const TOOLS = ["docs"];

/** The product's files that start other programs; none starts a worker. */
const STARTS: readonly string[] = [
  "api/dev_temporal.ts", // two programs of the product, by deno
  "api/temporal_dev_server.ts", // temporal, and pip to install it
  "cli/build/bundle.ts", // deno
  "cli/build/compile.ts", // deno
  "cli/host/deno_host.ts", // the user's credential command, by sh
  "cli/host/node_host.ts", // the same
  "proto/buf.ts", // buf
  "worker/providers/kubernetes/helm/run_helm.ts", // helm
];

/** A string that names the tests' folder or a file in it. */
const NAMES_TESTS = /(?:^|[^\w-])tests\/|^tests$|\/tests$/;

/** Folders at the root that hold built files. */
const BUILT: readonly string[] = ["dist", "node_modules"];

/** Reads every source file of the repository. */
export async function readSources(root: string): Promise<readonly SourceFile[]> {
  const present = await readdir(root, { withFileTypes: true });
  const folders = present.filter((entry) =>
    entry.isDirectory() && !entry.name.startsWith(".") && !BUILT.includes(entry.name)
  );
  const inFolders = await Promise.all(
    folders.map(({ name }) => readdir(join(root, name), { recursive: true, withFileTypes: true })),
  );
  const files: SourceFile[] = [];
  for (const entry of [...present, ...inFolders.flat()]) {
    if (!entry.isFile() || !/\.[cm]?[jt]sx?$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: relative(root, path), text: await readFile(path, "utf8") });
  }
  return files;
}

/** Source files in no room, which no rule would hold for. */
export function outsideRooms(modules: readonly Module[]): readonly string[] {
  return modules.map(({ path }) => path)
    .filter((path) => !path.startsWith("tests/") && !MAY_IMPORT[path.split("/")[0] ?? ""]);
}

/** Every edge that breaks the rule, spelled out: imports, and files that are named in strings. */
export function brokenEdges(modules: readonly Module[]): readonly string[] {
  const known = new Set(modules.map(({ path }) => path));
  return modules.flatMap(({ path, imports, strings, computedImports }) => [
    ...imports.flatMap(({ specifier, target }) => {
      const problem = target && problemOf(path, target, specifier);
      return problem ? [`${path} → ${target}: ${problem}`] : [];
    }),
    ...strings.flatMap((text) => {
      if (isTest(path)) return [];
      if (NAMES_TESTS.test(text)) return [`${path} → ${text}: nothing names tests`];
      const target = [join(dirname(path), text), normalize(text)].find((to) => known.has(to));
      const problem = target && problemOf(path, target);
      return problem ? [`${path} → ${target}: ${problem}`] : [];
    }),
    ...(computedImports > 0 && !isTest(path)
      ? [`${path} → ?: an import that only the running program knows`]
      : []),
  ]);
}

/** Files of the product that start programs and are not in the list, and listed ones that do not. */
export function unlistedStarts(modules: readonly Module[]): readonly string[] {
  const product = modules.filter(({ path }) => !isTest(path));
  return [
    ...product.flatMap(({ path, starts }) =>
      starts.filter((start) => !STARTS.includes(path) || start.endsWith("Worker"))
        .map((start) => `${path} starts ${start}`)
    ),
    ...product.filter(({ path, starts }) => STARTS.includes(path) && starts.length === 0)
      .map(({ path }) => `${path} is listed and starts nothing`),
  ];
}

/** Files outside `config.ts`, mpctl's seam to its process and the tests that read the environment. */
export function environmentReaders(modules: readonly Module[]): readonly string[] {
  return modules.filter(({ path, readsEnvironment }) =>
    readsEnvironment && !isTest(path) && !path.endsWith("/config.ts") &&
    !path.startsWith("cli/host/")
  ).map(({ path }) => path);
}

const isTest = (path: string) => path.startsWith("tests/") || path.endsWith("_test.ts");

/** @param specifier undefined for a file that is named in a string */
function problemOf(from: string, to: string, specifier?: string): string | undefined {
  const [fromRoom = "", toRoom = ""] = [from.split("/")[0], to.split("/")[0]];
  if (isTest(from)) return undefined;
  if (toRoom === "tests") return "nothing imports tests";
  if (fromRoom === toRoom) {
    if (specifier?.startsWith(".") === false) return "inside a room imports are relative";
    return fromRoom === "storage" && !ROOTS.some((root) => root.test(from))
      ? problemInStorage(from, to)
      : undefined;
  }
  if (specifier?.startsWith(".") && !TOOLS.includes(fromRoom)) {
    return "across rooms imports use the import map's alias";
  }
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
