/** Objects with the fields that the schema of their kind gives them. */
import type {
  CoreV1Event,
  V1ContainerStatus,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Pod,
  V1PodCondition,
  V1ReplicaSet,
  V1StatefulSet,
} from "@kubernetes/client-node";
import { fieldAt, type LiveObject } from "./kube_object.ts";
import type { Wire } from "./wire_format.ts";

interface Models {
  readonly DaemonSet: V1DaemonSet;
  readonly Deployment: V1Deployment;
  readonly Event: CoreV1Event;
  readonly Job: V1Job;
  readonly Pod: V1Pod;
  readonly ReplicaSet: V1ReplicaSet;
  readonly StatefulSet: V1StatefulSet;
}

/** The API server validates what it stores, so the kind alone decides which fields there are. */
export type ObjectOf<Kind extends keyof Models> = LiveObject & Wire<Models[Kind]>;

export const isKind = <Kind extends keyof Models>(
  object: LiveObject,
  kind: Kind,
): object is ObjectOf<Kind> => object.kind === kind;

export type ContainerStatus = Wire<V1ContainerStatus>;

/** The fields that the conditions of all kinds share. */
export type StatusCondition = Wire<
  Pick<V1PodCondition, "type" | "status" | "reason" | "message" | "lastTransitionTime">
>;

export function conditionsOf(object: LiveObject): readonly StatusCondition[] {
  return (fieldAt(object, "status", "conditions") ?? []) as readonly StatusCondition[];
}

export function conditionOf(object: LiveObject, type: string): StatusCondition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** The containers of a pod, init containers first. */
export function containersOf(pod: LiveObject): readonly ContainerStatus[] {
  const initial = isKind(pod, "Pod") ? pod.status?.initContainerStatuses ?? [] : [];
  return [...initial, ...mainContainersOf(pod)];
}

/** The containers of a pod without its init containers. */
export function mainContainersOf(pod: LiveObject): readonly ContainerStatus[] {
  return isKind(pod, "Pod") ? pod.status?.containerStatuses ?? [] : [];
}

/** Whether an object's controller is the object with this uid. */
export function isControlledBy({ metadata }: LiveObject, uid: string | undefined): boolean {
  return (metadata.ownerReferences ?? []).some((owner) => owner.controller && owner.uid === uid);
}

/** Whether an object's status describes its current spec. */
export function hasObserved(object: LiveObject): boolean {
  const observed = fieldAt(object, "status", "observedGeneration");
  const generation = object.metadata.generation ?? 0;
  return (typeof observed === "number" ? observed : 0) >= generation;
}
