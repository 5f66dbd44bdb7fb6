import type { Instant } from "@mpc/domain";
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import type { SimulatedDelays } from "./delays.ts";
import { behaviourOf } from "./behaviour.ts";

/** A namespace as the simulated cluster keeps it. */
export interface SimulatedNamespace {
  readonly kind: "namespace";
  readonly intent: NamespaceIntent;
  /** Whether quota, limits and network policy are set. */
  readonly policies: NamespaceIntent | null;
  readonly deleteTime: Instant | null;
}

/** A workload as the simulated cluster keeps it. */
export interface SimulatedWorkload {
  readonly kind: "workload";
  readonly intent: WorkloadIntent;
  /** When the running rollout began. */
  readonly rolloutTime: Instant;
  /** Replicas of this very template that ran when the rollout began. */
  readonly kept: number;
  readonly deleteTime: Instant | null;
}

export type SimulatedObject = SimulatedNamespace | SimulatedWorkload;

export const namespaceKey = (environment: string): string => environment;

export const workloadKey = (environment: string, workload: string): string =>
  `${environment}/${workload}`;

/** When an object is gone; null while nobody has asked for its deletion. */
export function goneTime(object: SimulatedObject, delays: SimulatedDelays): Instant | null {
  if (object.deleteTime === null) return null;
  const sticky = object.kind === "workload" && behaviourOf(object.intent.spec) === "sticky";
  return object.deleteTime + delays.deleteMs + (sticky ? delays.stickyMs : 0);
}
