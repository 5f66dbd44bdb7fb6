/** The progress of controllers, by the rules of `kubectl rollout status`. */
import type { RolloutStatus } from "@mpc/services";
import type { LiveObject } from "../client/kube_object.ts";
import { conditionOf, containersOf, hasObserved, isKind } from "../client/typed_objects.ts";
import { revisionOf } from "../objects/ownership.ts";
import { isJob, isJobDone } from "./job_status.ts";
import type { RolloutSnapshot } from "./rollout_snapshot.ts";

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

export const isComplete = (controller: LiveObject): boolean =>
  isJob(controller) ? isJobDone(controller) : countsOf(controller).complete;

function countsOf(controller: LiveObject): Counts {
  const observed = hasObserved(controller);
  if (isKind(controller, "DaemonSet")) {
    const { spec, status } = controller;
    const desired = status?.desiredNumberScheduled ?? 0;
    const updated = status?.updatedNumberScheduled ?? 0;
    const onDelete = spec?.updateStrategy?.type === "OnDelete";
    const ready = Math.min(onDelete ? desired : updated, status?.numberAvailable ?? 0);
    return { desired, updated, ready, complete: observed && ready >= desired };
  }
  if (!isKind(controller, "StatefulSet") && !isKind(controller, "Deployment")) {
    throw new TypeError(`${controller.kind} has no replicas`);
  }
  const { spec, status } = controller;
  const { replicas = 0, updatedReplicas = 0 } = status ?? {};
  const desired = spec?.replicas ?? 1;
  const kept = keptReplicas(controller, desired);
  const updated = Math.min(desired, updatedReplicas);
  const available =
    (controller.kind === "StatefulSet" ? status?.readyReplicas : status?.availableReplicas) ?? 0;
  const old = Math.max(0, replicas - updatedReplicas - kept);
  const ready = observed ? Math.min(updated + kept, Math.max(0, available - old)) : 0;
  return {
    desired,
    updated,
    ready,
    complete: observed && old === 0 && updated + kept >= desired && available >= desired &&
      updatedReplicas <= desired,
  };
}

/**
 * How many pods a StatefulSet does not update: the pods below its partition, or all pods with the
 * strategy `OnDelete` (Kubernetes, "StatefulSets": update strategies).
 */
function keptReplicas(controller: LiveObject, desired: number): number {
  if (!isKind(controller, "StatefulSet")) return 0;
  const updated = controller.status?.updatedReplicas ?? 0;
  const { type, rollingUpdate } = controller.spec?.updateStrategy ?? {};
  const unchanged = type === "OnDelete" ? desired : rollingUpdate?.partition ?? 0;
  return Math.min(unchanged, Math.max(0, desired - updated));
}

/**
 * Whether a pod's node does not answer: the last report of its containers is "ready", but the node
 * controller has set the pod to not ready (Kubernetes, "Nodes": node status).
 */
function isLost(pod: LiveObject): boolean {
  const ready = conditionOf(pod, "Ready");
  const containers = containersOf(pod);
  return ready !== undefined && ready.status !== "True" &&
    ready.reason !== "ReadinessGatesNotReady" && pod.metadata.deletionTimestamp === undefined &&
    containers.length > 0 && containers.every((container) => container.ready);
}
