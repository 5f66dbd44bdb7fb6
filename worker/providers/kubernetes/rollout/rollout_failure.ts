import type { Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";

/** The result of a check: a reason to fail the rollout now, or the time of the next check. */
export type RolloutVerdict = RolloutFailure | { readonly recheckAt: Instant };

/** Why a rollout can never complete. */
export interface RolloutFailure {
  readonly reason: FailureReason;
  /** The reason that Kubernetes gives, for instance `ErrImagePull`. */
  readonly podReason: string;
  readonly message: string;
  /** The pod or Job that failed; the controller if no pod could be created. */
  readonly subject: { readonly kind: "pod" | "job" | "controller"; readonly name: string };
  /** For a Job: the pod that failed last, if it still exists. */
  readonly pod?: string;
  readonly container?: string;
  readonly exitCode?: number;
  /** The ReplicaSet whose pods a quota rejects. */
  readonly overQuota?: LiveObject;
}

/** Of the catalogue, but for a refused replica: what refuses it says the reason of its error. */
export type FailureReason =
  | "IMAGE_PULL_FAILED"
  | "CRASH_LOOP"
  | "OOM_KILLED"
  | "CONTAINER_NOT_STARTED"
  | "UNSCHEDULABLE"
  | "VOLUME_NOT_BOUND"
  | "JOB_FAILED"
  | "ROLLOUT_PAUSED"
  | "REPLICA_REFUSED"
  | "PROGRESS_DEADLINE_EXCEEDED";

/** How long a problem that may be transient is tolerated, for instance while nodes are added. */
export const GRACE_MS = 15_000;

/**
 * A failure that counts only after the grace period. The cluster's clock and ours may differ: the
 * grace is longer by as much as ours is behind, until the rollout's own deadline, and shorter by as
 * much as ours is ahead, which may fail an operation early, with this reason; it can be retried.
 * @param since when the problem began, as the cluster reports it; now if that is not a time
 */
export function failureAfterGrace(
  failure: RolloutFailure,
  since: string | undefined,
  now: Instant,
): RolloutVerdict {
  const begin = Date.parse(since ?? "");
  const end = (Number.isNaN(begin) ? now : begin) + GRACE_MS;
  return now < end ? { recheckAt: end } : failure;
}

export const isFailure = (verdict: RolloutVerdict): verdict is RolloutFailure =>
  "reason" in verdict;

/** The first failure; otherwise the earliest time of a next check. */
export function mostUrgent(verdicts: readonly RolloutVerdict[]): RolloutVerdict | undefined {
  const failure = verdicts.find(isFailure);
  if (failure) return failure;
  const times = verdicts.flatMap((verdict) => isFailure(verdict) ? [] : [verdict.recheckAt]);
  return times.length === 0 ? undefined : { recheckAt: Math.min(...times) };
}
