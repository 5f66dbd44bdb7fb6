/** The parts of Kubernetes' objects that a rollout is judged by. */
import { fieldAt, type LiveObject } from "../client/kube_object.ts";

export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
  };
}

/** What one workload has on the cluster, as far as a rollout goes. */
export interface RolloutSnapshot {
  readonly controllers: readonly LiveObject[];
  readonly replicaSets: readonly LiveObject[];
  readonly pods: readonly LiveObject[];
}

export function conditionsOf(object: LiveObject): readonly StatusCondition[] {
  return (fieldAt(object, "status", "conditions") ?? []) as readonly StatusCondition[];
}

export function conditionOf(object: LiveObject, type: string): StatusCondition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** The containers of a pod, those that run before the others first. */
export function containersOf(pod: LiveObject): readonly ContainerStatus[] {
  const initial = fieldAt(pod, "status", "initContainerStatuses") ?? [];
  return [...initial as ContainerStatus[], ...mainContainersOf(pod)];
}

/** The containers of a pod that are there for as long as it is. */
export function mainContainersOf(pod: LiveObject): readonly ContainerStatus[] {
  return (fieldAt(pod, "status", "containerStatuses") ?? []) as readonly ContainerStatus[];
}

/** A number of the object; `otherwise` where it has none. */
export function numberAt(
  object: LiveObject,
  path: readonly string[],
  otherwise: number,
): number {
  const value = fieldAt(object, ...path);
  return typeof value === "number" ? value : otherwise;
}

/** Whether `object` was made by the one of this uid. */
function isOwnedBy({ metadata }: LiveObject, uid: string | undefined): boolean {
  return (metadata.ownerReferences ?? []).some((owner) => owner.controller && owner.uid === uid);
}

/**
 * The pods of what a controller rolls out now: those of a Deployment's newest ReplicaSet, of the
 * newest revision of the others.
 */
export function currentPods(
  controller: LiveObject,
  snapshot: RolloutSnapshot,
): readonly LiveObject[] {
  const parent = controller.kind === "Deployment"
    ? currentReplicaSet(controller, snapshot)
    : controller;
  const [label, revision] = revisionLabel(controller);
  return snapshot.pods.filter((pod) =>
    isOwnedBy(pod, parent?.metadata.uid) &&
    (revision === undefined || pod.metadata.labels?.[label] === revision)
  );
}

/** How a controller that makes its pods itself marks those of its newest revision. */
function revisionLabel(
  { kind, status, metadata }: LiveObject,
): readonly [label: string, value: unknown] {
  return kind === "DaemonSet"
    ? [
      "pod-template-generation",
      metadata.annotations?.["deprecated.daemonset.template.generation"],
    ]
    : ["controller-revision-hash", fieldAt(status, "updateRevision")];
}

const DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision";

/** What a Deployment rolls out now; undefined before it has made it, and for other controllers. */
export function currentReplicaSet(
  { metadata }: LiveObject,
  { replicaSets }: RolloutSnapshot,
): LiveObject | undefined {
  const revision = metadata.annotations?.[DEPLOYMENT_REVISION];
  return replicaSets.find((set) =>
    isOwnedBy(set, metadata.uid) && set.metadata.annotations?.[DEPLOYMENT_REVISION] === revision
  );
}

/** Whether an object's status is about what is asked for now. */
export function hasObserved(object: LiveObject): boolean {
  return numberAt(object, ["status", "observedGeneration"], 0) >= (object.metadata.generation ?? 0);
}
