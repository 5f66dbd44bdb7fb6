import type { Resource } from "./resource.ts";
import type { Instant } from "./time.ts";

export const WORKLOAD_STATES = [
  "DEPLOYING",
  "READY",
  "DEPLOY_FAILED",
  "DEGRADED",
  "DELETING",
  "DELETE_FAILED",
] as const;

/** Where a workload is in its life (AIP-216). */
export type WorkloadState = (typeof WORKLOAD_STATES)[number];

export interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

export interface HealthCheck {
  readonly path: string;
  readonly port: number;
  readonly periodMs: number;
}

/** What a workload runs, with every default filled in. */
export interface WorkloadSpec {
  readonly image: string;
  readonly replicas: number;
  readonly ports: readonly Port[];
  /** Environment variables; the values are secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Kubernetes quantities; null is the cluster's default. */
  readonly resources: { readonly cpu: string | null; readonly memory: string | null };
  readonly healthCheck: HealthCheck | null;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** How long a rollout may stand still before it fails. */
  readonly progressDeadlineMs: number;
}

/** A desired program inside an environment. */
export interface Workload extends Resource {
  readonly state: WorkloadState;
  /** What is asked for; after a failed or cancelled change, what runs. */
  readonly spec: WorkloadSpec;
  /** Changes when every copy is to be replaced though the spec is the same. */
  readonly restartToken: string;
  /** The revision that runs on the cluster; 0 where none does. */
  readonly activeRevision: number;
  /** The highest revision number ever given out; numbers are never used twice. */
  readonly lastRevision: number;
  readonly readyReplicas: number;
}

/** Immutable copy of a workload's spec as it was deployed. */
export interface Revision {
  readonly name: string;
  readonly number: number;
  readonly spec: WorkloadSpec;
  readonly restartToken: string;
  readonly operation: string;
  readonly createTime: Instant;
}

/** Stands in place of secret values wherever a spec is shown. */
export const REDACTED = "(redacted)";

/** The spec without its secrets, for answers, events and logs. */
export function redactSpec(spec: WorkloadSpec): WorkloadSpec {
  const env = Object.fromEntries(Object.keys(spec.env).map((key) => [key, REDACTED]));
  return { ...spec, env };
}
