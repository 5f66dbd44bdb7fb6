/** Why a pod will never be ready, by what its kubelet and the scheduler say. */
import type { Instant } from "@mpc/domain";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import { conditionOf, containersOf, type ContainerStatus } from "./snapshot.ts";
import { gravest, lasting, type RolloutFailure, type Verdict } from "./verdict.ts";

export function podFailure(pod: LiveObject, now: Instant): Verdict | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const verdicts = containersOf(pod).flatMap((container) =>
    containerFailure(pod, container, now) ?? []
  );
  const failure = unschedulable(pod);
  const since = conditionOf(pod, "PodScheduled")?.lastTransitionTime;
  return gravest(failure ? [...verdicts, lasting(failure, since, now)] : verdicts);
}

/** Whether no node takes it, however long since. */
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

/** What registries and runtimes say when another try will not help. */
const NEVER_PULLED =
  /not found|unknown|unauthorized|denied|forbidden|invalid|no match|couldn't parse|never pull/i;

const NOT_STARTED: ReadonlySet<string> = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** What kubelets say of an image that would run as root, where no pod may. */
const NEVER_STARTED = /runAsNonRoot/;

function containerFailure(
  pod: LiveObject,
  { name, state, lastState }: ContainerStatus,
  now: Instant,
): Verdict | undefined {
  const { reason: podReason = "", message = "" } = state?.waiting ?? {};
  const subject = { kind: "pod", name: pod.metadata.name } as const;
  const base = { podReason, message, subject, container: name };
  const started = String(fieldAt(pod, "status", "startTime") ?? "");
  if (NOT_PULLED.has(podReason)) {
    const failure = { ...base, reason: "IMAGE_PULL_FAILED" as const };
    return NEVER_PULLED.test(message) ? failure : lasting(failure, started, now);
  }
  if (NOT_STARTED.has(podReason)) {
    const failure = { ...base, reason: "CONTAINER_NOT_STARTED" as const };
    // A secret that it names may be on its way; what the image's user is may not change.
    return NEVER_STARTED.test(message) ? failure : lasting(failure, started, now);
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
  const containers = (fieldAt(pod, "spec", "containers") ?? []) as readonly { name: string }[];
  const found = containers.find(({ name }) => name === container);
  const limit = fieldAt(found, "resources", "limits", "memory");
  return limit === undefined ? "its node had" : `its limit of ${limit}`;
}
