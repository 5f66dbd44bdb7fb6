import type { Resource } from "./resource.ts";
import type { Instant } from "./time.ts";
import type {
  Autoscaling,
  Chart,
  DisruptionBudget,
  EnvSource,
  HealthCheck,
  Ingress,
  Port,
  Volume,
} from "./workload_parts.ts";

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

/** What a workload runs, with every default filled in. */
export type WorkloadSpec = {
  /** Empty where there is a chart. */
  readonly image: string;
  /** How many copies: the least with autoscaling; 0 with a chart, which decides itself. */
  readonly replicas: number;
  readonly ports: readonly Port[];
  /** Environment variables; the values are secret. */
  readonly env: { readonly [variable: string]: string };
  readonly envFrom: readonly EnvSource[];
  /** Kubernetes quantities; null is the cluster's default. */
  readonly resources: { readonly cpu: string | null; readonly memory: string | null };
  /** When a copy counts as ready. */
  readonly healthCheck: HealthCheck | null;
  /** When a copy is restarted. */
  readonly livenessCheck: HealthCheck | null;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly volumes: readonly Volume[];
  readonly ingress: Ingress | null;
  readonly autoscaling: Autoscaling | null;
  readonly disruptionBudget: DisruptionBudget | null;
  /** Says what everything else says otherwise; null where there is an image. */
  readonly chart: Chart | null;
  /** How long a rollout may stand still before it fails. */
  readonly progressDeadlineMs: number;
};

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
