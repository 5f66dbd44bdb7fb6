import type { Resource } from "./resource.ts";
import type { Instant } from "./time.ts";

export const ENVIRONMENT_STATES = [
  "CREATING",
  "READY",
  "UPDATING",
  "DELETING",
  "CREATE_FAILED",
  "UPDATE_FAILED",
  "DELETE_FAILED",
] as const;

/** The lifecycle state of an environment; the verb says what failed (AIP-216). */
export type EnvironmentState = (typeof ENVIRONMENT_STATES)[number];

/** Limits on the workloads inside; null is unlimited. */
export interface Quota {
  readonly workloads: number | null;
  /** Kubernetes quantity. */
  readonly cpu: string | null;
  /** Kubernetes quantity. */
  readonly memory: string | null;
}

export const NO_QUOTA: Quota = { workloads: null, cpu: null, memory: null };

/** A place to run workloads. */
export interface Environment extends Resource {
  readonly state: EnvironmentState;
  /** When it is deleted automatically; null for never. */
  readonly expireTime: Instant | null;
  readonly deletionProtection: boolean;
  /** Name of the cluster that it is on. Immutable. */
  readonly cluster: string;
  readonly quota: Quota;
  /** The principal that created it, for quotas. Absent in records of earlier versions. */
  readonly creator?: string;
}

/** The condition, and the event, that announces the expiry of an environment. */
export const EXPIRES_SOON = "ExpiresSoon" as const;
