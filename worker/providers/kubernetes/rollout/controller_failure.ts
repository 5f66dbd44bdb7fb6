/** Why a controller does not get on: pods that are refused, and time that is up. */
import type { Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";
import { statusError } from "../client/status_error.ts";
import { unschedulable } from "./pod_failure.ts";
import { conditionOf, currentPods, currentReplicaSet, hasObserved } from "./snapshot.ts";
import type { RolloutSnapshot } from "./snapshot.ts";
import { lasting, type RolloutFailure, type Verdict } from "./verdict.ts";

/** Refusals that no waiting changes. */
const FINAL: ReadonlySet<string> = new Set(["QUOTA_EXCEEDED", "ADMISSION_DENIED"]);

/** @param controller one that has observed what is asked for */
export function controllerFailure(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
  now: Instant,
): Verdict | undefined {
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
    return FINAL.has(reason) ? failure : lasting(failure, refused.lastTransitionTime, now);
  }
  const progressing = conditionOf(controller, "Progressing");
  return progressing?.reason === "ProgressDeadlineExceeded" && progressing.status === "False"
    ? deadlineFailure(controller, snapshot, progressing.message ?? "")
    : undefined;
}

/** Time is up: whatever a pod waits for is the reason. */
export function deadlineFailure(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
  message: string,
): RolloutFailure {
  const pods = currentPods(controller, snapshot);
  // The cluster has had all the time that there is to grow.
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
