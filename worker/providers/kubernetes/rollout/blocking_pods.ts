import type { Instant } from "@mpc/domain";
import type { LiveObject } from "../client/kube_object.ts";
import { conditionOf, hasObserved, isControlledBy, isKind } from "../client/typed_objects.ts";
import { podFailure } from "./pod_failure.ts";
import { isFailure } from "./rollout_failure.ts";
import type { RolloutSnapshot } from "./rollout_snapshot.ts";

/**
 * Pods of other revisions for which a StatefulSet waits forever: it replaces the next pod only when
 * all are ready (Kubernetes, "StatefulSets": forced rollback). A deletion makes it replace them.
 * @param restore the other revision failed, so each of its pods that is not ready is in the way;
 *   otherwise only pods that certainly never will be ready
 */
export function blockingPods(
  snapshot: RolloutSnapshot,
  { restore, now }: { readonly restore: boolean; readonly now: Instant },
): readonly LiveObject[] {
  return snapshot.controllers.flatMap((controller) => {
    if (!isKind(controller, "StatefulSet") || !hasObserved(controller)) return [];
    const { podManagementPolicy = "OrderedReady", updateStrategy } = controller.spec ?? {};
    const { updateRevision } = controller.status ?? {};
    // The controller does not update these pods, and does not wait for them.
    if (podManagementPolicy !== "OrderedReady" || updateStrategy?.type === "OnDelete") return [];
    if (updateRevision === undefined) return [];
    const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
    return snapshot.pods.filter((pod) =>
      isControlledBy(pod, controller.metadata.uid) && ordinalOf(pod) >= partition &&
      pod.metadata.labels?.["controller-revision-hash"] !== updateRevision &&
      pod.metadata.deletionTimestamp === undefined &&
      conditionOf(pod, "Ready")?.status !== "True" && (restore || isLost(pod, now))
    );
  });
}

function isLost(pod: LiveObject, now: Instant): boolean {
  const verdict = podFailure(pod, now);
  return verdict !== undefined && isFailure(verdict);
}

const ordinalOf = ({ metadata: { name } }: LiveObject): number =>
  Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
