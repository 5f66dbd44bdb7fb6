/** Resource names (AIP-122): building and parsing them. */

export const environmentName = (environment: string): string => `environments/${environment}`;

export const workloadName = (environment: string, workload: string): string =>
  `environments/${environment}/workloads/${workload}`;

export const revisionName = (workload: string, revision: number): string =>
  `${workload}/revisions/${revision}`;

export const operationName = (uuid: string): string => `operations/${uuid}`;

/** Kinds of resources, as event filters and error messages spell them. */
export type ResourceKind = "environment" | "workload" | "revision" | "operation";

const PATTERNS: readonly (readonly [ResourceKind, RegExp])[] = [
  ["environment", /^environments\/([^/]+)$/],
  ["workload", /^environments\/([^/]+)\/workloads\/([^/]+)$/],
  ["revision", /^environments\/([^/]+)\/workloads\/([^/]+)\/revisions\/([1-9][0-9]{0,8})$/],
  ["operation", /^operations\/([^/]+)$/],
];

export interface ParsedName {
  readonly kind: ResourceKind;
  /** The ids in the name, the outermost first. */
  readonly ids: readonly string[];
}

/** Takes a resource name apart; undefined where it is none. */
export function parseName(name: string): ParsedName | undefined {
  for (const [kind, pattern] of PATTERNS) {
    const match = pattern.exec(name);
    if (match) return { kind, ids: match.slice(1) };
  }
  return undefined;
}

/** The last id of a resource name, for messages. */
export const idOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The environment that a workload's or revision's name lies in. */
export const environmentIdOf = (name: string): string => name.split("/")[1] ?? "";
