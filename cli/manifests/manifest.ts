import { type Environment, EnvironmentSchema, type Workload, WorkloadSchema } from "@mpc/proto";
import { usageError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { parseYaml, type YamlDocument } from "./parse_yaml.ts";
import { readText, toMessage } from "./read_message.ts";

/** One resource of a file. Its name determines its kind. */
export type Manifest =
  & {
    readonly name: string;
    /** The file, and where in it. */
    readonly place: string;
  }
  & (
    | { readonly kind: "environment"; readonly resource: Environment }
    | { readonly kind: "workload"; readonly resource: Workload }
  );

const ENVIRONMENT = /^environments\/[^/]+$/;
const WORKLOAD = /^environments\/[^/]+\/workloads\/[^/]+$/;
const FILES = /\.(ya?ml|json)$/i;

/**
 * Reads manifests from files, folders (recursively) and `-`. A file may contain many, as
 * `get -o yaml` prints them.
 * @returns environments first, then workloads, each in the order in which they were found
 * @throws {CliError} usage: unreadable, an invalid name, a duplicate resource, no resource
 */
export async function readManifests(
  host: Host,
  paths: readonly string[],
): Promise<readonly Manifest[]> {
  const manifests = new Map<string, Manifest>();
  for (const path of await filesOf(host, paths)) {
    for (const document of parseYaml(await readText(host, path), path)) {
      for (const part of elements(document)) {
        const manifest = manifestOf(part);
        if (manifests.has(manifest.name)) {
          throw usageError(`Cannot read '${part.place}': '${manifest.name}' occurs twice`);
        }
        manifests.set(manifest.name, manifest);
      }
    }
  }
  if (manifests.size === 0) throw usageError(`Cannot find a resource in ${paths.join(", ")}`);
  const all = [...manifests.values()];
  return [
    ...all.filter(({ kind }) => kind === "environment"),
    ...all.filter(({ kind }) => kind === "workload"),
  ];
}

/** The files of paths; for a folder all manifests in it and in its subfolders, by name. */
async function filesOf(host: Host, paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = path === "-" ? undefined : await filesIn(host, path.replace(/\/+$/, ""));
    files.push(...found ?? [path]);
  }
  return files;
}

/** @returns undefined if the path is not a folder */
async function filesIn(host: Host, folder: string): Promise<readonly string[] | undefined> {
  const names = await host.listFolder(folder);
  if (!names) return undefined;
  const files: string[] = [];
  for (const name of [...names].sort()) {
    const path = `${folder}/${name}`;
    if (FILES.test(name)) files.push(path);
    // Hidden folders, for instance `.git`, contain no manifests.
    else if (!name.startsWith(".")) files.push(...await filesIn(host, path) ?? []);
  }
  return files;
}

/** A document is one resource, or a list of them as `list -o yaml` prints it. */
function elements(document: YamlDocument): readonly YamlDocument[] {
  const { value, place } = document;
  if (!Array.isArray(value)) return [document];
  return value.map((value, index) => ({ ...document, value, place: `${place}[${index}]` }));
}

/**
 * The manifest in a document.
 * @throws {CliError} usage: an invalid name, or unknown fields
 */
export function manifestOf(document: YamlDocument): Manifest {
  const { value, place } = document;
  const name = typeof value === "object" && value !== null && "name" in value
    ? String(value.name)
    : "";
  if (ENVIRONMENT.test(name)) {
    const resource = toMessage(EnvironmentSchema, document);
    if (resource.ttl && resource.expireTime) {
      throw usageError(`Cannot read '${place}': it has both 'ttl' and 'expireTime'`);
    }
    return { kind: "environment", name, place, resource };
  }
  if (WORKLOAD.test(name)) {
    return { kind: "workload", name, place, resource: toMessage(WorkloadSchema, document) };
  }
  const found = name === "" ? "there is no 'name', which" : `'name' is '${name}', but`;
  throw usageError(
    `Cannot read '${place}': ${found} must be 'environments/…' or 'environments/…/workloads/…'`,
  );
}
