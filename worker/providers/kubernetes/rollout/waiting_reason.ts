/** What a rollout that makes no progress waits for, from pods, conditions and events. */
import { DEPLOYMENT } from "../client/kinds.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { conditionOf, containersOf, hasObserved, isKind } from "../client/typed_objects.ts";
import type { ObjectEvent } from "../reads/cluster_events.ts";
import { isComplete } from "./progress.ts";
import { currentPods, currentReplicaSet, type RolloutSnapshot } from "./rollout_snapshot.ts";

/** What keeps one object of a rollout from becoming ready. */
export interface WaitingReason {
  /** The object, for instance `pod 'web-1'`. */
  readonly subject: string;
  /** The reason that Kubernetes gives, for instance `FailedMount`. */
  readonly reason: string;
  readonly message: string;
}

/** The events of a rollout's namespace. */
export interface Warnings {
  /** Oldest first. */
  readonly latest: readonly ObjectEvent[];
  isRecent(event: ObjectEvent): boolean;
}

/** States of every container that starts; they explain nothing. */
const STARTING: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing"]);

/** The nearest known cause; undefined if the cluster reports none. */
export function waitingReason(
  snapshot: RolloutSnapshot,
  warnings: Warnings,
): WaitingReason | undefined {
  for (const controller of snapshot.controllers) {
    if (isComplete(controller)) continue;
    const pods = currentPods(controller, snapshot).filter((pod) => !isReady(pod));
    const found = refusedReplica(controller, snapshot) ??
      first(pods, (pod) => claimReason(pod, warnings)) ??
      first(pods, (pod) => podReason(pod)) ??
      first(pods, (pod) => eventReason(pod, "pod", warnings)) ??
      refusedPod(controller, warnings);
    if (found) return found;
  }
  return undefined;
}

/**
 * What events may explain, as text that changes with it; undefined if they can tell nothing that the
 * objects do not. Until a pod is scheduled its conditions say why not, and those of its ReplicaSet
 * say why there is none.
 */
export function neededEvents(snapshot: RolloutSnapshot): string | undefined {
  const needed = snapshot.controllers.filter((it) => !isComplete(it)).flatMap((controller) => {
    const pods = currentPods(controller, snapshot).filter((pod) =>
      !isReady(pod) && (isScheduled(pod) || claimsOf(pod).length > 0)
    );
    const objects = controller.kind === DEPLOYMENT.kind ? pods : [controller, ...pods];
    return objects.map(({ metadata }) => metadata.name);
  });
  return needed.length > 0 ? needed.sort().join(" ") : undefined;
}

const isScheduled = (pod: LiveObject): boolean =>
  conditionOf(pod, "PodScheduled")?.status === "True";

/** The claims that a pod mounts. */
export function claimsOf(pod: LiveObject): readonly string[] {
  const volumes = isKind(pod, "Pod") ? pod.spec?.volumes ?? [] : [];
  return volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}

/** The last event that says why a claim of a pod is not bound; undefined without one. */
export function claimEvent(pod: LiveObject, { latest }: Warnings): ObjectEvent | undefined {
  if (conditionOf(pod, "PodScheduled")?.status === "True") return undefined;
  const claims = claimsOf(pod);
  return latest.findLast(({ kind, name }) =>
    kind.kind === "PersistentVolumeClaim" && claims.includes(name)
  );
}

/**
 * The last event about a controller that cannot create its pods. Only a ReplicaSet has a condition
 * that says so.
 */
export function refusalEvent(
  controller: LiveObject,
  warnings: Warnings,
): ObjectEvent | undefined {
  const { uid = "", generation = 1 } = controller.metadata;
  // An object of an earlier revision may have been refused then.
  return warnings.latest.findLast((event) =>
    event.uid === uid && event.reason === "FailedCreate" &&
    (generation === 1 || warnings.isRecent(event))
  );
}

const isReady = (pod: LiveObject): boolean =>
  pod.metadata.deletionTimestamp !== undefined || conditionOf(pod, "Ready")?.status === "True";

function first<T>(
  objects: readonly LiveObject[],
  reasonOf: (object: LiveObject) => T | undefined,
): T | undefined {
  for (const object of objects) {
    const reason = reasonOf(object);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function refusedReplica(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
): WaitingReason | undefined {
  const set = currentReplicaSet(controller, snapshot);
  const refused = set && hasObserved(set) ? conditionOf(set, "ReplicaFailure") : undefined;
  if (!set || refused?.status !== "True") return undefined;
  const { reason = "FailedCreate", message = "" } = refused;
  return { subject: `replica set '${set.metadata.name}'`, reason, message };
}

function claimReason(pod: LiveObject, warnings: Warnings): WaitingReason | undefined {
  const event = claimEvent(pod, warnings);
  if (!event) return undefined;
  return { subject: `claim '${event.name}'`, reason: event.reason, message: event.message };
}

/** What the kubelet and the scheduler report in the status of a pod. */
function podReason(pod: LiveObject): WaitingReason | undefined {
  const subject = `pod '${pod.metadata.name}'`;
  for (const { state } of containersOf(pod)) {
    const { reason, message = "" } = state?.waiting ?? {};
    if (reason !== undefined && !STARTING.has(reason)) return { subject, reason, message };
  }
  const scheduled = conditionOf(pod, "PodScheduled");
  return scheduled?.status === "False"
    ? { subject, reason: scheduled.reason ?? "Pending", message: scheduled.message ?? "" }
    : undefined;
}

function eventReason(
  object: LiveObject,
  kind: string,
  { latest }: Warnings,
): WaitingReason | undefined {
  const event = latest.findLast(({ uid }) => uid !== "" && uid === object.metadata.uid);
  if (!event) return undefined;
  const { reason, message } = event;
  return { subject: `${kind} '${object.metadata.name}'`, reason, message };
}

function refusedPod(controller: LiveObject, warnings: Warnings): WaitingReason | undefined {
  const event = refusalEvent(controller, warnings);
  if (!event) return undefined;
  const { kind, metadata: { name } } = controller;
  return { subject: `${kind} '${name}'`, reason: event.reason, message: event.message };
}

/** A ConfigMap or a Secret that a volume needs and that is not there. */
export function missingSource(
  message: string,
): { readonly kind: "ConfigMap" | "Secret"; readonly name: string } | undefined {
  const [, kind, name] = /(configmap|secret) "([^"]+)" not found/i.exec(message) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  return { kind: kind.toLowerCase() === "secret" ? "Secret" : "ConfigMap", name };
}
