/** The most that the pods of a controller use while its update creates pods. */
import { atLeast, plus, times, type Usage } from "./pod_usage.ts";

/** How pods are replaced, with the numbers that the controller derives from percentages. */
export type Replacement =
  /** New pods are created while all old ones run. */
  | { readonly type: "surge"; readonly surge: number }
  /** Old pods are deleted first, a few at a time. */
  | { readonly type: "replace"; readonly unavailable: number }
  /** All old pods are deleted first. */
  | { readonly type: "recreate" }
  /** Running pods are not replaced; only missing ones are created. */
  | { readonly type: "none" };

export interface Rollout {
  /** How many pods there are to be. */
  readonly desired: number;
  /** The usage of each new pod. */
  readonly pod: Usage;
  /** The usage of each pod that runs now. */
  readonly running: readonly Usage[];
}

/**
 * The largest usage at a moment at which a pod is created; undefined if none is created. A pod that
 * is being deleted no longer counts: a controller goes on to try until it is gone.
 *
 * A Deployment whose number of replicas changes with its template scales its old pods first, so there
 * are as many old pods as there are to be new ones (Kubernetes, "Proportional scaling").
 */
export function peakUsage({ desired, pod, running }: Rollout, how: Replacement): Usage | undefined {
  if (how.type === "none") {
    if (desired <= running.length) return undefined;
    return plus(running.reduce(plus, {}), times(pod, desired - running.length));
  }
  if (desired === 0) return undefined;
  const all = times(pod, desired);
  if (running.length === 0 || how.type === "recreate") return all;
  const old = running.reduce(atLeast, {});
  if (how.type === "surge") {
    const surge = Math.min(how.surge, desired);
    return atLeast(
      plus(times(old, desired), times(pod, surge)),
      plus(times(old, surge), all),
    );
  }
  const removed = Math.min(how.unavailable, desired);
  return atLeast(plus(times(old, desired - removed), times(pod, removed)), all);
}

/** A number of pods that may be a percentage of all; a surge rounds up, unavailable pods down. */
export function podCount(
  value: number | string | undefined,
  desired: number,
  round: (count: number) => number,
): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value ?? "25%")?.[1];
  return round(Number(percent ?? 0) * desired / 100);
}
