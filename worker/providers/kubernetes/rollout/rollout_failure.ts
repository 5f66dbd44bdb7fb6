import type { Instant } from "@mpc/domain";

/** A reason to give a rollout up, or a moment at which there may be one. */
export type Verdict = RolloutFailure | { readonly lookAgain: Instant };

/** Why a rollout can never be complete. */
export interface RolloutFailure {
  readonly reason: FailureReason;
  /** What Kubernetes calls it, for instance `ErrImagePull`. */
  readonly podReason: string;
  readonly message: string;
  /** The pod or Job, or where no pod could be made the controller. */
  readonly subject: { readonly kind: "pod" | "job" | "controller"; readonly name: string };
  /** Of a Job: the pod that failed last, where it is still there. */
  readonly pod?: string;
  readonly container?: string;
  readonly exitCode?: number;
}

export type FailureReason =
  | "IMAGE_PULL_FAILED"
  | "CRASH_LOOP"
  | "OOM_KILLED"
  | "CONTAINER_NOT_STARTED"
  | "UNSCHEDULABLE"
  | "JOB_FAILED"
  | "REPLICA_REFUSED"
  | "PROGRESS_DEADLINE_EXCEEDED";

/** How long what may pass by itself is given: a cluster that grows, a registry that hiccups. */
export const GRACE_MS = 15_000;

/** A failure that counts only when it has lasted; `since` as the cluster tells it. */
export function lasting(failure: RolloutFailure, since: string | undefined, now: Instant): Verdict {
  const begin = Date.parse(since ?? "");
  const end = (Number.isNaN(begin) ? now : begin) + GRACE_MS;
  return now < end ? { lookAgain: end } : failure;
}

export const isFailure = (verdict: Verdict): verdict is RolloutFailure => "reason" in verdict;

/** The first failure of several verdicts, or the nearest moment to look again. */
export function gravest(verdicts: readonly Verdict[]): Verdict | undefined {
  const failure = verdicts.find(isFailure);
  if (failure) return failure;
  const moments = verdicts.flatMap((verdict) => isFailure(verdict) ? [] : [verdict.lookAgain]);
  return moments.length === 0 ? undefined : { lookAgain: Math.min(...moments) };
}
