import type { Instant } from "@mpc/domain";
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import { behaviourOf } from "./image_behaviour.ts";

/** How long things take on the simulated cluster, in milliseconds. */
export interface SimulatedDelays {
  /** Between the readiness of one replica and the next. */
  readonly replicaMs: number;
  /** From the request of a deletion to its end. */
  readonly deleteMs: number;
  /** How long a finalizer blocks the deletion of a `:sticky` workload. */
  readonly stickyMs: number;
}

/** Slow enough to watch, fast enough for a demo. */
export const DEMO_DELAYS: SimulatedDelays = { replicaMs: 700, deleteMs: 600, stickyMs: 60_000 };

/** Nothing takes time except the deletion of a `:sticky` workload. */
export const NO_DELAYS: SimulatedDelays = { replicaMs: 0, deleteMs: 0, stickyMs: 60_000 };

export interface SimulatedNamespace {
  readonly kind: "namespace";
  readonly intent: NamespaceIntent;
  /** The applied quota, limits and network policy; null before that. */
  readonly policies: NamespaceIntent | null;
  readonly deleteTime: Instant | null;
}

export interface SimulatedWorkload {
  readonly kind: "workload";
  readonly intent: WorkloadIntent;
  /** When the current rollout began. */
  readonly rolloutTime: Instant;
  /** Replicas with the same pod template that were ready when the rollout began. */
  readonly kept: number;
  /** Objects of earlier revisions that exist until they are pruned; undefined in older states. */
  readonly replaced?: readonly string[];
  readonly deleteTime: Instant | null;
}

export type SimulatedObject = SimulatedNamespace | SimulatedWorkload;

export const namespaceKey = (environment: string): string => environment;

export const workloadKey = (environment: string, workload: string): string =>
  `${environment}/${workload}`;

/** When an object is gone; null if its deletion was not requested. */
export function goneTime(object: SimulatedObject, delays: SimulatedDelays): Instant | null {
  if (object.deleteTime === null) return null;
  const sticky = object.kind === "workload" && behaviourOf(object.intent.spec) === "sticky";
  return object.deleteTime + delays.deleteMs + (sticky ? delays.stickyMs : 0);
}
