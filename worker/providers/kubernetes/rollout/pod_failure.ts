import type { Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";
import {
  conditionOf,
  containersOf,
  type ContainerStatus,
  isKind,
} from "../client/typed_objects.ts";
import {
  failureAfterGrace,
  mostUrgent,
  type RolloutFailure,
  type RolloutVerdict,
} from "./rollout_failure.ts";

/** Why a pod will never be ready, from what the kubelet and the scheduler report. */
export function podFailure(pod: LiveObject, now: Instant): RolloutVerdict | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const verdicts = containersOf(pod).flatMap((container) =>
    containerFailure(pod, container, now) ?? []
  );
  // A provisioner may need minutes; what can never be bound is known from events.
  const failure = hasUnboundClaims(pod) ? undefined : unschedulable(pod);
  const since = conditionOf(pod, "PodScheduled")?.lastTransitionTime;
  return mostUrgent(failure ? [...verdicts, failureAfterGrace(failure, since, now)] : verdicts);
}

/** Whether a pod waits for volumes that are still to be made. */
const hasUnboundClaims = (pod: LiveObject): boolean =>
  /unbound immediate PersistentVolumeClaims/i.test(
    conditionOf(pod, "PodScheduled")?.message ?? "",
  );

/** The failure of a pod that fits on no node, without a grace period. */
export function unschedulable(pod: LiveObject): RolloutFailure | undefined {
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  return {
    reason: "UNSCHEDULABLE",
    podReason: "Unschedulable",
    message: scheduled.message ?? "no node takes it",
    subject: { kind: "pod", name: pod.metadata.name },
  };
}

const NOT_PULLED: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
]);

/** What registries and container runtimes say when a retry cannot help. */
const NEVER_PULLED =
  /not found|unknown|unauthorized|denied|forbidden|invalid|no match|couldn't parse|never pull/i;

const NOT_STARTED: ReadonlySet<string> = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** What the kubelet says about an image that would run as root, which pod security forbids. */
const NEVER_STARTED = /runAsNonRoot/;

function containerFailure(
  pod: LiveObject,
  { name, state, lastState }: ContainerStatus,
  now: Instant,
): RolloutVerdict | undefined {
  const { reason: podReason = "", message = "" } = state?.waiting ?? {};
  const subject = { kind: "pod", name: pod.metadata.name } as const;
  const base = { podReason, message, subject, container: name };
  const started = isKind(pod, "Pod") ? pod.status?.startTime : undefined;
  if (NOT_PULLED.has(podReason)) {
    const failure = { ...base, reason: "IMAGE_PULL_FAILED" as const };
    return NEVER_PULLED.test(message) ? failure : failureAfterGrace(failure, started, now);
  }
  if (NOT_STARTED.has(podReason)) {
    const failure = { ...base, reason: "CONTAINER_NOT_STARTED" as const };
    // A missing Secret may still be created, but the user of an image does not change.
    return NEVER_STARTED.test(message) ? failure : failureAfterGrace(failure, started, now);
  }
  if (podReason !== "CrashLoopBackOff") return undefined;
  const ended = lastState?.terminated;
  const exit = ended && { exitCode: ended.exitCode };
  if (ended?.reason === "OOMKilled") {
    const message = `it used more memory than ${memoryLimitOf(pod, name)}`;
    return { ...base, ...exit, reason: "OOM_KILLED", podReason: ended.reason, message };
  }
  const why = ended ? `back-off after exit code ${ended.exitCode}` : message;
  return { ...base, ...exit, reason: "CRASH_LOOP", message: why };
}

function memoryLimitOf(pod: LiveObject, container: string): string {
  const containers = isKind(pod, "Pod") ? pod.spec?.containers ?? [] : [];
  const limit = containers.find(({ name }) => name === container)?.resources?.limits?.["memory"];
  return limit === undefined ? "its node had" : `its limit of ${limit}`;
}
