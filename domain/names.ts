/** Resource names (AIP-122): building and parsing them. */

export const environmentName = (environment: string): string => `environments/${environment}`;

export const clusterName = (cluster: string): string => `clusters/${cluster}`;

export const workloadName = (environment: string, workload: string): string =>
  `environments/${environment}/workloads/${workload}`;

export const revisionName = (workload: string, revision: number): string =>
  `${workload}/revisions/${revision}`;

export const operationName = (uuid: string): string => `operations/${uuid}`;

/** Kinds of resources, as event filters and error messages write them. */
export type ResourceKind = "environment" | "workload" | "revision" | "operation";

const PATTERNS: readonly (readonly [ResourceKind, RegExp])[] = [
  ["environment", /^environments\/([^/]+)$/],
  ["workload", /^environments\/([^/]+)\/workloads\/([^/]+)$/],
  ["revision", /^environments\/([^/]+)\/workloads\/([^/]+)\/revisions\/([1-9][0-9]{0,8})$/],
  ["operation", /^operations\/([^/]+)$/],
];

export interface ParsedName {
  readonly kind: ResourceKind;
  /** The ids in the name, outermost first. */
  readonly ids: readonly string[];
}

/** Parses a resource name; undefined if it is invalid. */
export function parseName(name: string): ParsedName | undefined {
  for (const [kind, pattern] of PATTERNS) {
    const match = pattern.exec(name);
    if (match) return { kind, ids: match.slice(1) };
  }
  return undefined;
}

/** The last id of a resource name, for messages. */
export const idOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The id of the environment in the name of a workload or revision. */
export const environmentIdOf = (name: string): string => name.split("/")[1] ?? "";
