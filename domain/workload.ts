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

/** The lifecycle state of a workload (AIP-216). */
export type WorkloadState = (typeof WORKLOAD_STATES)[number];

/** What a workload runs, with every default filled in. */
export type WorkloadSpec = {
  /** Empty if the workload has a chart. */
  readonly image: string;
  /** The number of copies: the minimum with autoscaling; 0 with a chart, which decides itself. */
  readonly replicas: number;
  readonly ports: readonly Port[];
  /** Environment variables; the values are secret. */
  readonly env: { readonly [variable: string]: string };
  readonly envFrom: readonly EnvSource[];
  /** Kubernetes quantities; null selects the cluster's default. */
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
  /** Replaces all other fields; null if the workload has an image. */
  readonly chart: Chart | null;
  /** How long a rollout may make no progress before it fails. */
  readonly progressDeadlineMs: number;
};

/** A desired program inside an environment. */
export interface Workload extends Resource {
  readonly state: WorkloadState;
  /** The desired state; after a failed or cancelled change, the state that runs. */
  readonly spec: WorkloadSpec;
  /** Changes when every copy must be replaced although the spec is the same. */
  readonly restartToken: string;
  /** The revision that runs on the cluster; 0 for none. */
  readonly activeRevision: number;
  /** The highest revision number ever used; numbers are never reused. */
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
  /**
   * How many copies were ready when it was rolled out, which a chart decides itself. Absent in records
   * of earlier versions.
   */
  readonly readyReplicas?: number;
}
