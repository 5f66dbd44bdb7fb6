import { type Environment, type Operation, type Workload } from "@mpc/proto";
import type { Manifest } from "./manifest.ts";
import { specText } from "./spec_text.ts";

/** One field that is not as the file asks for it. */
export interface Difference {
  readonly path: string;
  /** Empty where it is not there. */
  readonly before: string;
  readonly after: string;
}

/**
 * How a resource differs from its manifest, in what records hold: what the cluster holds is in the
 * server's plan, which also knows the secret values.
 */
export function recordDifferences(
  { kind, resource }: Manifest,
  live: Environment | Workload | undefined,
): readonly Difference[] {
  const wanted = fieldsOf(kind, resource);
  // Of a workload that is there the server's plan says it.
  if (!live && "spec" in resource && resource.spec) {
    for (const [path, text] of specText(resource.spec)) wanted.set(path, text);
  }
  const found = live ? fieldsOf(kind, live) : new Map<string, string>();
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return paths.map((path) => ({
    path,
    before: found.get(path) ?? "",
    after: wanted.get(path) ?? "",
  })).filter(({ before, after }) => before !== after);
}

/** What the cluster would hold differently, by the server's plan. */
export function clusterDifferences(operation: Operation | undefined): readonly Difference[] {
  return operation?.plan?.changes.flatMap(({ object, fields }) =>
    fields.map(({ path, before, after }) => ({ path: `${object} ${path}`, before, after }))
  ) ?? [];
}

function fieldsOf(
  kind: Manifest["kind"],
  resource: Environment | Workload,
): Map<string, string> {
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
  if (kind === "environment" && "quota" in resource) {
    const { workloads = 0, cpu = "", memory = "" } = resource.quota ?? {};
    if (workloads > 0) fields.push(["quota.workloads", String(workloads)]);
    if (cpu !== "") fields.push(["quota.cpu", cpu]);
    if (memory !== "") fields.push(["quota.memory", memory]);
    if (resource.deletionProtection) fields.push(["deletionProtection", "true"]);
  }
  return new Map(fields);
}
