/** Jobs of a chart: they are done when they are complete, and fail by their own rules. */
import type { Instant } from "@mpc/domain";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import { podFailure } from "./pod_failure.ts";
import { conditionOf, containersOf, currentPods, type RolloutSnapshot } from "./snapshot.ts";
import { isFailure, type Verdict } from "./verdict.ts";

/** What a Job tries again itself, as often as its backoff limit lets it. */
const TRIED_AGAIN: ReadonlySet<string> = new Set(["CRASH_LOOP", "OOM_KILLED"]);

export const isJob = ({ kind }: LiveObject): boolean => kind === "Job";

/** Whether a workload's rollout waits for it: what a CronJob has made is not part of it. */
export const isAwaited = (object: LiveObject): boolean =>
  !isJob(object) || !(object.metadata.ownerReferences ?? []).some(({ controller }) => controller);

/** Whether nothing is left to wait for; one that is suspended runs when somebody wants it to. */
export function isJobDone(job: LiveObject): boolean {
  return conditionOf(job, "Complete")?.status === "True" ||
    fieldAt(job, "spec", "suspend") === true;
}

/** Why a Job can no longer be complete (Kubernetes, "Jobs": job termination and cleanup). */
export function jobFailures(
  job: LiveObject,
  snapshot: RolloutSnapshot,
  now: Instant,
): readonly Verdict[] {
  if (isJobDone(job)) return [];
  const pods = currentPods(job, snapshot);
  // The first is told before its pods are ended, and their logs go.
  const failed = ["FailureTarget", "Failed"].map((type) => conditionOf(job, type))
    .find((condition) => condition?.status === "True");
  if (failed) return [jobFailure(job, pods, failed)];
  return pods.flatMap((pod) => podFailure(pod, now) ?? [])
    .filter((verdict) => !isFailure(verdict) || !TRIED_AGAIN.has(verdict.reason));
}

function jobFailure(
  { metadata: { name, namespace = "" } }: LiveObject,
  pods: readonly LiveObject[],
  { reason = "Failed", message = "" }: { readonly reason?: string; readonly message?: string },
): Verdict {
  const ends = pods.toSorted(newestFirst).flatMap((pod) =>
    containersOf(pod).flatMap(({ name: container, state, lastState }) => {
      const ended = state?.terminated ?? lastState?.terminated;
      return ended && ended.exitCode !== 0
        ? [{ pod: pod.metadata.name, container, exitCode: ended.exitCode }]
        : [];
    })
  );
  const again = `to have it run again, deploy it under another name, or run 'kubectl delete job ` +
    `${name} --namespace ${namespace}' and deploy again`;
  return {
    reason: "JOB_FAILED",
    podReason: reason,
    message: `${message}${
      ends[0] ? `, the last time with exit code ${ends[0].exitCode}` : ""
    }; ${again}`,
    subject: { kind: "job", name },
    ...ends[0],
  };
}

const newestFirst = (a: LiveObject, b: LiveObject): number =>
  (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "");
