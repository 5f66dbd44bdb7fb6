import type { Instant } from "./time.ts";

/** One observation about a resource, with the fields of a Kubernetes condition. */
export interface Condition {
  /** In CamelCase, for instance `Ready`. */
  readonly type: string;
  readonly status: "TRUE" | "FALSE" | "UNKNOWN";
  /** In CamelCase, for programs. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** When `status` last changed. */
  readonly lastTransitionTime: Instant;
}

/** True if the cluster differs from what was applied. */
export const DRIFTED = "Drifted";

/** Sets one condition in a list. Its transition time changes only when its status does. */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, "lastTransitionTime">,
  now: Instant,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : now;
  return [
    ...conditions.filter((condition) => condition.type !== next.type),
    { ...next, lastTransitionTime },
  ];
}
