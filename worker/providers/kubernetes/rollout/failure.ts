/** Why a rollout can never be complete: judged by what the pods and their controllers say. */
import type { Instant } from "@mpc/domain";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import {
  conditionOf,
  containersOf,
  type ContainerStatus,
  currentPods,
  isOwnedBy,
  type RolloutSnapshot,
} from "./snapshot.ts";

/** A reason to give up, or a moment at which there may be one. */
export type Verdict = RolloutFailure | { readonly lookAgain: Instant };

export interface RolloutFailure {
  readonly reason: FailureReason;
  /** What Kubernetes calls it, for instance `ErrImagePull`. */
  readonly podReason: string;
  readonly message: string;
  /** The pod, or where none could be made the controller. */
  readonly subject: { readonly kind: "pod" | "controller"; readonly name: string };
  readonly container?: string;
  readonly exitCode?: number;
}

export type FailureReason =
  | "IMAGE_PULL_FAILED"
  | "CRASH_LOOP"
  | "OOM_KILLED"
  | "CONTAINER_NOT_STARTED"
  | "UNSCHEDULABLE"
  | "REPLICA_REFUSED"
  | "PROGRESS_DEADLINE_EXCEEDED";

/** A cluster that grows when pods find no node needs a while for that. */
export const UNSCHEDULABLE_GRACE_MS = 15_000;

/** The first failure; undefined where the rollout may still succeed and nothing is due. */
export function failureOf(snapshot: RolloutSnapshot, now: Instant): Verdict | undefined {
  let lookAgain: Instant | undefined;
  for (const controller of snapshot.controllers) {
    for (const pod of currentPods(controller, snapshot)) {
      const verdict = podFailure(pod, now);
      if (verdict && !("lookAgain" in verdict)) return verdict;
      if (verdict) lookAgain = Math.min(lookAgain ?? verdict.lookAgain, verdict.lookAgain);
    }
    const failure = controllerFailure(controller, snapshot);
    if (failure) return failure;
  }
  return lookAgain === undefined ? undefined : { lookAgain };
}

function podFailure(pod: LiveObject, now: Instant): Verdict | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  for (const container of containersOf(pod)) {
    const failure = containerFailure(pod, container);
    if (failure) return failure;
  }
  const failure = unschedulable(pod);
  if (!failure) return undefined;
  const since = Date.parse(conditionOf(pod, "PodScheduled")?.lastTransitionTime ?? "");
  const end = (Number.isNaN(since) ? now : since) + UNSCHEDULABLE_GRACE_MS;
  return now < end ? { lookAgain: end } : failure;
}

function unschedulable(pod: LiveObject): RolloutFailure | undefined {
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  return {
    reason: "UNSCHEDULABLE",
    podReason: "Unschedulable",
    message: scheduled.message ?? "no node takes it",
    subject: { kind: "pod", name: pod.metadata.name },
  };
}

/** Never passes by itself (kubelet's own reasons). */
const NOT_STARTED: ReadonlySet<string> = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

const NOT_PULLED: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
]);

function containerFailure(
  pod: LiveObject,
  { name, state, lastState }: ContainerStatus,
): RolloutFailure | undefined {
  const { reason: podReason = "", message = "" } = state?.waiting ?? {};
  const subject = { kind: "pod", name: pod.metadata.name } as const;
  const base = { podReason, message, subject, container: name };
  if (NOT_PULLED.has(podReason)) return { ...base, reason: "IMAGE_PULL_FAILED" };
  if (NOT_STARTED.has(podReason)) return { ...base, reason: "CONTAINER_NOT_STARTED" };
  if (podReason !== "CrashLoopBackOff") return undefined;
  const ended = lastState?.terminated;
  if (ended?.reason === "OOMKilled") {
    const limit = memoryLimitOf(pod, name);
    return {
      ...base,
      reason: "OOM_KILLED",
      podReason: "OOMKilled",
      message: `it used more memory than ${limit ?? "its node had"}`,
      exitCode: ended.exitCode,
    };
  }
  const exitCode = ended?.exitCode;
  return {
    ...base,
    reason: "CRASH_LOOP",
    message: exitCode === undefined ? message : `back-off after exit code ${exitCode}`,
    ...(exitCode !== undefined && { exitCode }),
  };
}

function memoryLimitOf(pod: LiveObject, container: string): string | undefined {
  const containers = (fieldAt(pod, "spec", "containers") ?? []) as readonly { name: string }[];
  const found = containers.find(({ name }) => name === container);
  const limit = fieldAt(found, "resources", "limits", "memory");
  return limit === undefined ? undefined : `its limit of ${limit}`;
}

function controllerFailure(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
): RolloutFailure | undefined {
  const subject = { kind: "controller", name: controller.metadata.name } as const;
  const makers = [
    controller,
    ...snapshot.replicaSets.filter((set) => isOwnedBy(set, controller.metadata.uid)),
  ];
  for (const maker of makers) {
    const refused = conditionOf(maker, "ReplicaFailure");
    if (refused?.status !== "True") continue;
    return {
      reason: "REPLICA_REFUSED",
      podReason: refused.reason ?? "FailedCreate",
      message: refused.message ?? "",
      subject,
    };
  }
  const progressing = conditionOf(controller, "Progressing");
  if (progressing?.reason !== "ProgressDeadlineExceeded" || progressing.status !== "False") {
    return undefined;
  }
  const pods = currentPods(controller, snapshot);
  // The cluster has had all the time that there is to grow.
  const withoutNode = pods.map(unschedulable).find((failure) => failure !== undefined);
  if (withoutNode) return withoutNode;
  const waiting = pods.find(isNotReady);
  return {
    reason: "PROGRESS_DEADLINE_EXCEEDED",
    podReason: "NotReady",
    message: waiting
      ? conditionOf(waiting, "Ready")?.message ?? "it is not ready"
      : progressing.message ?? "",
    subject: waiting ? { kind: "pod", name: waiting.metadata.name } : subject,
  };
}

const isNotReady = (pod: LiveObject): boolean => conditionOf(pod, "Ready")?.status !== "True";
