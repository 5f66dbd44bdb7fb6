import { type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  type Environment,
  type Operation,
  type Workload,
  type WorkloadSpec,
  WorkloadSpecSchema,
} from "@mpc/proto";
import { expiryChange } from "./expiry.ts";
import type { Manifest } from "./manifest.ts";

/** One field that differs from the file. */
export interface Difference {
  readonly path: string;
  /** Empty if the field is missing. */
  readonly before: string;
  readonly after: string;
  /** What one must know about it. */
  readonly note?: string;
}

/**
 * The differences of a resource's record from its manifest. The server's plan has the differences
 * on the cluster, because it knows secret values.
 */
export function recordDifferences(
  manifest: Manifest,
  live: Environment | Workload | undefined,
): readonly Difference[] {
  const { resource } = manifest;
  const wanted = fieldsOf(resource);
  // The spec of an existing workload is compared by the server's plan.
  if (!live && "spec" in resource && resource.spec) {
    for (const [path, text] of specText(resource.spec)) wanted.set(path, text);
  }
  const found = live ? fieldsOf(live) : new Map<string, string>();
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  const differences = paths.map((path) => ({
    path,
    before: found.get(path) ?? "",
    after: wanted.get(path) ?? "",
  })).filter(({ before, after }) => before !== after);
  const expiry = live && expiryChange(manifest, live);
  if (!expiry) return differences;
  const { path, before, after, note } = expiry;
  return [...differences, { path, before, after, ...(note && { note }) }];
}

/** The differences on the cluster, from the server's plan. */
export function clusterDifferences(operation: Operation | undefined): readonly Difference[] {
  return operation?.plan?.changes.flatMap(({ object, fields }) =>
    fields.map(({ path, before, after }) => ({ path: `${object} ${path}`, before, after }))
  ) ?? [];
}

function fieldsOf(resource: Environment | Workload): Map<string, string> {
  const fields: [string, string][] = [
    ...Object.entries(resource.labels).map(([key, value]): [string, string] => [
      `labels.${key}`,
      value,
    ]),
    ...Object.entries(resource.annotations).map(([key, value]): [string, string] => [
      `annotations.${key}`,
      value,
    ]),
  ];
  if (resource.$typeName === "mpc.v1.Environment") {
    const { workloads = 0, cpu = "", memory = "" } = resource.quota ?? {};
    if (workloads > 0) fields.push(["quota.workloads", String(workloads)]);
    if (cpu !== "") fields.push(["quota.cpu", cpu]);
    if (memory !== "") fields.push(["quota.memory", memory]);
    if (resource.deletionProtection) fields.push(["deletionProtection", "true"]);
  }
  return new Map(fields);
}

/** Fields whose values may be secret. */
const SECRET = /^spec\.(env|chart\.values)\./;

/** The fields of a spec as paths and texts, with lists as JSON; secret values are redacted. */
export function specText(spec: WorkloadSpec): readonly [path: string, text: string][] {
  return flatten("spec", toJson(WorkloadSpecSchema, spec)).map(([path, text]) => [
    path,
    SECRET.test(path) ? "(redacted)" : text,
  ]);
}

function flatten(path: string, value: JsonValue): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => flatten(`${path}.${key}`, inner));
}
