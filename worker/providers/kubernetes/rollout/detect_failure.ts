import type { ErrorReason, Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";
import { statusError } from "../client/status_error.ts";
import { conditionOf, hasObserved, isKind } from "../client/typed_objects.ts";
import { isJob, jobFailures } from "./job_status.ts";
import { isComplete } from "./progress.ts";
import { podFailure, unschedulable } from "./pod_failure.ts";
import {
  failureAfterGrace,
  mostUrgent,
  type RolloutFailure,
  type RolloutVerdict,
} from "./rollout_failure.ts";
import { currentPods, currentReplicaSet, type RolloutSnapshot } from "./rollout_snapshot.ts";

/** Refusals that waiting cannot resolve. */
const PERMANENT: ReadonlySet<ErrorReason> = new Set(["ADMISSION_DENIED"]);

/** Whether a rollout can no longer succeed; undefined if it can and no later check is needed. */
export function detectFailure(
  snapshot: RolloutSnapshot,
  now: Instant,
): RolloutVerdict | undefined {
  const jobs = snapshot.controllers.filter(isJob);
  // Until a controller has observed the new spec, its pods and conditions describe the old one.
  const observed = snapshot.controllers.filter((it) => !isJob(it) && hasObserved(it));
  return mostUrgent([
    ...jobs.flatMap((job) => jobFailures(job, snapshot, now)),
    ...observed.flatMap((controller) => [
      ...currentPods(controller, snapshot).flatMap((pod) => podFailure(pod, now) ?? []),
      ...[controllerFailure(controller, snapshot, now) ?? []].flat(),
    ]),
  ]);
}

/** The failure of a controller whose progress deadline is exceeded, explained by a waiting pod. */
export function deadlineFailure(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
  message: string,
): RolloutFailure {
  const pods = currentPods(controller, snapshot);
  // No grace period: the whole deadline was time enough to add a node.
  const withoutNode = pods.map(unschedulable).find((failure) => failure !== undefined);
  if (withoutNode) return withoutNode;
  const waiting = pods.find((pod) => conditionOf(pod, "Ready")?.status !== "True");
  return {
    reason: "PROGRESS_DEADLINE_EXCEEDED",
    podReason: "NotReady",
    message: waiting ? conditionOf(waiting, "Ready")?.message ?? "it is not ready" : message,
    subject: waiting
      ? { kind: "pod", name: waiting.metadata.name }
      : { kind: "controller", name: controller.metadata.name },
  };
}

function controllerFailure(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
  now: Instant,
): RolloutVerdict | undefined {
  if (isPaused(controller)) return pausedFailure(controller);
  const set = currentReplicaSet(controller, snapshot);
  const refused = set && hasObserved(set) ? conditionOf(set, "ReplicaFailure") : undefined;
  if (refused?.status === "True") {
    const message = refused.message ?? "";
    const failure: RolloutFailure = {
      reason: "REPLICA_REFUSED",
      podReason: refused.reason ?? "FailedCreate",
      message,
      subject: { kind: "controller", name: controller.metadata.name },
    };
    const { reason } = statusError({ code: 403, message }, { action: "", cluster: "" });
    if (reason === "QUOTA_EXCEEDED") {
      // A pod may be created a moment before the one that it replaces is deleted.
      return failureAfterGrace({ ...failure, overQuota: set! }, refused.lastTransitionTime, now);
    }
    return PERMANENT.has(reason)
      ? failure
      : failureAfterGrace(failure, refused.lastTransitionTime, now);
  }
  const progressing = conditionOf(controller, "Progressing");
  return progressing?.reason === "ProgressDeadlineExceeded" && progressing.status === "False"
    ? deadlineFailure(controller, snapshot, progressing.message ?? "")
    : undefined;
}

/** Whether somebody has paused a Deployment, whose controller then replaces no pods. */
const isPaused = (controller: LiveObject): boolean =>
  isKind(controller, "Deployment") && controller.spec?.paused === true && !isComplete(controller);

function pausedFailure({ metadata: { name, namespace = "" } }: LiveObject): RolloutFailure {
  return {
    reason: "ROLLOUT_PAUSED",
    podReason: "DeploymentPaused",
    message: `deployment '${name}' is paused, so none of its pods are replaced; ` +
      `resume it by 'kubectl rollout resume deployment ${name} --namespace ${namespace}'`,
    subject: { kind: "controller", name },
  };
}
