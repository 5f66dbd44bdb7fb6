import type { EventReason } from "./event_reasons.ts";
import type { Instant } from "./time.ts";

/** One observation about a resource, with the fields of a Kubernetes condition. */
export interface Condition {
  /** In CamelCase, for instance `Ready`. */
  readonly type: string;
  readonly status: "TRUE" | "FALSE" | "UNKNOWN";
  /** For programs; at run time perhaps another version's, where it is read from a store. */
  readonly reason: EventReason;
  readonly message: string;
  /** The command that ends it, which the message names too; absent if none is known. */
  readonly remedy?: string;
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
