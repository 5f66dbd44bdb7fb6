/** The Jobs of a chart: when they are done, and why they fail. */
import type { Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";
import { conditionOf, containersOf, isKind } from "../client/typed_objects.ts";
import { podFailure } from "./pod_failure.ts";
import { isFailure, type RolloutVerdict } from "./rollout_failure.ts";
import { currentPods, type RolloutSnapshot } from "./rollout_snapshot.ts";

/** Failures that a Job retries itself, up to its backoff limit. */
const RETRIED_BY_JOB: ReadonlySet<string> = new Set(["CRASH_LOOP", "OOM_KILLED"]);

export const isJob = ({ kind }: LiveObject): boolean => kind === "Job";

/** Whether a workload's rollout waits for an object: it ignores Jobs that a CronJob created. */
export const isAwaited = (object: LiveObject): boolean =>
  !isJob(object) || !(object.metadata.ownerReferences ?? []).some(({ controller }) => controller);

/** Whether a rollout need not wait for a Job: it is complete, or suspended until somebody runs it. */
export function isJobDone(job: LiveObject): boolean {
  return conditionOf(job, "Complete")?.status === "True" ||
    (isKind(job, "Job") && job.spec?.suspend === true);
}

/** Whether a Job has completed or failed. */
export const isJobFinished = (job: LiveObject): boolean =>
  ["Complete", "Failed"].some((type) => conditionOf(job, type)?.status === "True");

/** Why a Job can no longer complete (Kubernetes, "Jobs": job termination and cleanup). */
export function jobFailures(
  job: LiveObject,
  snapshot: RolloutSnapshot,
  now: Instant,
): readonly RolloutVerdict[] {
  if (isJobDone(job)) return [];
  const pods = currentPods(job, snapshot);
  // `FailureTarget` comes first: the Job's pods, and with them their logs, still exist then.
  const failed = ["FailureTarget", "Failed"].map((type) => conditionOf(job, type))
    .find((condition) => condition?.status === "True");
  if (failed) return [jobFailure(job, pods, failed)];
  return pods.flatMap((pod) => podFailure(pod, now) ?? [])
    .filter((verdict) => !isFailure(verdict) || !RETRIED_BY_JOB.has(verdict.reason));
}

function jobFailure(
  { metadata: { name, namespace = "" } }: LiveObject,
  pods: readonly LiveObject[],
  { reason = "Failed", message = "" }: { readonly reason?: string; readonly message?: string },
): RolloutVerdict {
  const ends = pods.toSorted(newestFirst).flatMap((pod) =>
    containersOf(pod).flatMap(({ name: container, state, lastState }) => {
      const ended = state?.terminated ?? lastState?.terminated;
      return ended && ended.exitCode !== 0
        ? [{ pod: pod.metadata.name, container, exitCode: ended.exitCode }]
        : [];
    })
  );
  const again = `to run it again, deploy it under another name, or run 'kubectl delete job ` +
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
