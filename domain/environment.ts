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

/** Where an environment is in its life; the verb says what failed (AIP-216). */
export type EnvironmentState = (typeof ENVIRONMENT_STATES)[number];

/** Limits of what runs inside; null is unlimited. */
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
  /** When it is deleted by itself; null for never. */
  readonly expireTime: Instant | null;
  readonly deletionProtection: boolean;
  /** Name of the cluster that carries it; stays what it was created with. */
  readonly cluster: string;
  readonly quota: Quota;
}

/** The condition that tells that an environment is about to expire, and when. */
export const EXPIRES_SOON = "ExpiresSoon" as const;
