import type { LiveObject } from "../client/kube_object.ts";
import { isControlledBy, isKind } from "../client/typed_objects.ts";

/** The objects of one workload that its rollout is judged by. */
export interface RolloutSnapshot {
  readonly controllers: readonly LiveObject[];
  readonly replicaSets: readonly LiveObject[];
  readonly pods: readonly LiveObject[];
}

/**
 * The pods of a controller's current revision: for a Deployment the pods of its newest ReplicaSet,
 * otherwise the pods with the label of the newest revision.
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
    isControlledBy(pod, parent?.metadata.uid) &&
    (revision === undefined || pod.metadata.labels?.[label] === revision)
  );
}

/** How a controller that creates its pods itself labels the pods of its newest revision. */
function revisionLabel(
  controller: LiveObject,
): readonly [label: string, value: string | undefined] {
  return controller.kind === "DaemonSet"
    ? [
      "pod-template-generation",
      controller.metadata.annotations?.["deprecated.daemonset.template.generation"],
    ]
    : [
      "controller-revision-hash",
      isKind(controller, "StatefulSet") ? controller.status?.updateRevision : undefined,
    ];
}

const DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision";

/** A Deployment's newest ReplicaSet; undefined before it exists, and for other controllers. */
export function currentReplicaSet(
  { metadata }: LiveObject,
  { replicaSets }: RolloutSnapshot,
): LiveObject | undefined {
  const revision = metadata.annotations?.[DEPLOYMENT_REVISION];
  return replicaSets.find((set) =>
    isControlledBy(set, metadata.uid) &&
    set.metadata.annotations?.[DEPLOYMENT_REVISION] === revision
  );
}
