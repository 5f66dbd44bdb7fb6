/** How far controllers are, by the rules of `kubectl rollout status`. */
import type { RolloutStatus } from "@mpc/services";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import { revisionOf } from "../objects/ownership.ts";
import { isJob, isJobDone } from "./job.ts";
import {
  conditionOf,
  containersOf,
  hasObserved,
  numberAt,
  type RolloutSnapshot,
} from "./snapshot.ts";

interface Counts {
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  readonly complete: boolean;
}

export interface Progress {
  readonly status: RolloutStatus;
  readonly complete: boolean;
}

/** How a workload's rollout stands. */
export function progressOf(snapshot: RolloutSnapshot): Progress {
  const jobs = snapshot.controllers.filter(isJob);
  const controllers = snapshot.controllers.filter((controller) => !isJob(controller));
  const counts = controllers.map(countsOf);
  const done = jobs.filter(isJobDone).length;
  const sum = (of: (counts: Counts) => number) => counts.reduce((all, one) => all + of(one), 0);
  const desired = sum(({ desired }) => desired);
  const ready = sum(({ ready }) => ready);
  const lost = snapshot.pods.filter(isLost).map(({ metadata }) => metadata.name);
  const text = [
    ...(counts.length > 0 ? [`${ready} of ${desired} replica${s(desired)} ready`] : []),
    ...(jobs.length > 0 ? [`${done} of ${jobs.length} job${s(jobs.length)} complete`] : []),
  ].join(", ");
  return {
    complete: snapshot.controllers.length > 0 && snapshot.controllers.every(isComplete),
    status: {
      desired,
      ready,
      updated: sum(({ updated }) => updated),
      revision: Math.max(0, ...snapshot.controllers.map(revisionOf)),
      message: lost.length === 0
        ? text
        : `${text}; Unknown: the node of ${lost.join(", ")} does not answer`,
    },
  };
}

const s = (count: number): string => count === 1 ? "" : "s";

/** Whether nothing is left to wait for of one of them. */
export const isComplete = (controller: LiveObject): boolean =>
  isJob(controller) ? isJobDone(controller) : countsOf(controller).complete;

function countsOf(controller: LiveObject): Counts {
  const status = (field: string) => numberAt(controller, ["status", field], 0);
  const observed = hasObserved(controller);
  if (controller.kind === "DaemonSet") {
    const desired = status("desiredNumberScheduled");
    const updated = status("updatedNumberScheduled");
    const onDelete = fieldAt(controller, "spec", "updateStrategy", "type") === "OnDelete";
    const ready = Math.min(onDelete ? desired : updated, status("numberAvailable"));
    return { desired, updated, ready, complete: observed && ready >= desired };
  }
  const desired = numberAt(controller, ["spec", "replicas"], 1);
  const kept = keptReplicas(controller, desired);
  const updated = Math.min(desired, status("updatedReplicas"));
  const available = status(
    controller.kind === "StatefulSet" ? "readyReplicas" : "availableReplicas",
  );
  const old = Math.max(0, status("replicas") - status("updatedReplicas") - kept);
  const ready = observed ? Math.min(updated + kept, Math.max(0, available - old)) : 0;
  return {
    desired,
    updated,
    ready,
    complete: observed && old === 0 && updated + kept >= desired && available >= desired &&
      status("updatedReplicas") <= desired,
  };
}

/**
 * How many pods a StatefulSet is to keep as they are: those below its partition, or all where
 * whoever deletes a pod updates it (Kubernetes, "StatefulSets": update strategies).
 */
function keptReplicas(controller: LiveObject, desired: number): number {
  if (controller.kind !== "StatefulSet") return 0;
  const updated = numberAt(controller, ["status", "updatedReplicas"], 0);
  const onDelete = fieldAt(controller, "spec", "updateStrategy", "type") === "OnDelete";
  const partition = numberAt(
    controller,
    ["spec", "updateStrategy", "rollingUpdate", "partition"],
    0,
  );
  return Math.min(onDelete ? desired : partition, Math.max(0, desired - updated));
}

/**
 * Whether nothing is heard of a pod's node: its containers were ready when last heard of, and the
 * node controller has taken the pod's readiness away (Kubernetes, "Nodes": node status).
 */
function isLost(pod: LiveObject): boolean {
  const ready = conditionOf(pod, "Ready");
  const containers = containersOf(pod);
  return ready !== undefined && ready.status !== "True" &&
    ready.reason !== "ReadinessGatesNotReady" && pod.metadata.deletionTimestamp === undefined &&
    containers.length > 0 && containers.every((container) => container.ready);
}
