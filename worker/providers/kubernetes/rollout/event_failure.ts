/** Failures of a rollout that only the cluster's events tell. */
import type { ErrorReason, Instant } from "@mpc/domain";
import { CONFIG_MAP, SECRET } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { statusError } from "../client/status_error.ts";
import { conditionOf } from "../client/typed_objects.ts";
import { isComplete } from "./progress.ts";
import { failureAfterGrace, type RolloutFailure, type RolloutVerdict } from "./rollout_failure.ts";
import { currentPods, type RolloutSnapshot } from "./rollout_snapshot.ts";
import { claimEvent, missingSource, refusalEvent, type Warnings } from "./waiting_reason.ts";

/**
 * How long refused pods are tolerated: the pods that they replace may take the default of 30 s to
 * end, and use the quota until then.
 */
const REFUSED_MS = 45_000;

/** Refusals that waiting cannot resolve. */
const PERMANENT: ReadonlySet<ErrorReason> = new Set(["QUOTA_EXCEEDED", "ADMISSION_DENIED"]);

/**
 * What can never become ready:
 * - a volume of a ConfigMap or Secret that does not exist, like a variable of one. It may still be
 *   created, so it has a grace period, and {@linkcode isStillMissing} looks for it once more
 * - a claim that no volume fits and no provisioner serves
 * - pods of a StatefulSet, a DaemonSet or a Job that a quota or a policy rejects
 *
 * A failing readiness probe, a slow provisioner and a slow mount may all end well: they are shown as
 * progress until the deadline.
 */
export function eventFailures(
  snapshot: RolloutSnapshot,
  warnings: Warnings & { readonly began: Instant },
  now: Instant,
): readonly RolloutVerdict[] {
  return snapshot.controllers.filter((it) => !isComplete(it)).flatMap((controller) => [
    ...currentPods(controller, snapshot).filter(isWaiting).flatMap((pod) => [
      ...notMounted(pod, warnings, now),
      ...notBound(pod, warnings, now),
    ]),
    ...refused(controller, warnings, now),
  ]);
}

/** Whether the ConfigMap or Secret that a failure names does not exist; true for other failures. */
export async function isStillMissing(
  client: KubeClient,
  namespace: string,
  { podReason, message }: RolloutFailure,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = podReason === NOT_MOUNTED ? missingSource(message) : undefined;
  if (!missing) return true;
  const kind = missing.kind === "Secret" ? SECRET : CONFIG_MAP;
  return await client.get({ ...kind, namespace, name: missing.name }, { signal }) === undefined;
}

const NOT_MOUNTED = "FailedMount";

/** What a claim's events say if it is never bound by itself. */
const NEVER_BOUND = /no storage class is set|storageclass\S* "[^"]*" not found/i;

const isWaiting = (pod: LiveObject): boolean =>
  pod.metadata.deletionTimestamp === undefined && conditionOf(pod, "Ready")?.status !== "True";

function notMounted(pod: LiveObject, { latest }: Warnings, now: Instant): RolloutVerdict[] {
  const event = latest.findLast(({ uid }) => uid === pod.metadata.uid);
  if (event?.reason !== NOT_MOUNTED || !missingSource(event.message)) return [];
  const failure: RolloutFailure = {
    reason: "CONTAINER_NOT_STARTED",
    podReason: event.reason,
    message: event.message,
    subject: { kind: "pod", name: pod.metadata.name },
  };
  return [failureAfterGrace(failure, textOf(event.firstTime), now)];
}

function notBound(pod: LiveObject, warnings: Warnings, now: Instant): RolloutVerdict[] {
  const event = claimEvent(pod, warnings);
  if (!event || !NEVER_BOUND.test(event.message)) return [];
  const failure: RolloutFailure = {
    reason: "VOLUME_NOT_BOUND",
    podReason: event.reason,
    message: `claim '${event.name}': ${event.message}`,
    subject: { kind: "pod", name: pod.metadata.name },
  };
  return [failureAfterGrace(failure, textOf(event.firstTime), now)];
}

function refused(
  controller: LiveObject,
  warnings: Warnings & { readonly began: Instant },
  now: Instant,
): RolloutVerdict[] {
  const event = refusalEvent(controller, warnings);
  if (!event) return [];
  const { reason } = statusError({ code: 403, message: event.message }, {
    action: "",
    cluster: "",
  });
  if (!PERMANENT.has(reason)) return [];
  const end = Math.max(event.firstTime, warnings.began) + REFUSED_MS;
  if (now < end) return [{ recheckAt: end }];
  return [{
    reason: "REPLICA_REFUSED",
    podReason: event.reason,
    message: event.message,
    subject: { kind: "controller", name: controller.metadata.name },
  }];
}

const textOf = (time: Instant): string => new Date(time).toISOString();
