import type { KubernetesObject } from "./kubernetes_object.ts";

/**
 * Kinds in the order of applying: what others refer to comes before them, policies before what they
 * hold for. Deletion goes the other way. Kinds that are not here come last.
 */
const APPLY_ORDER: readonly string[] = [
  ...["Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange"],
  ...["ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap", "PersistentVolumeClaim"],
  ...["Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob"],
  ...["HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress"],
];

/** The same objects in the order of applying; those of one kind by name. */
export function inApplyOrder<Item extends Pick<KubernetesObject, "kind" | "metadata">>(
  objects: readonly Item[],
): readonly Item[] {
  return objects.toSorted((a, b) =>
    placeOf(a) - placeOf(b) || compare(a.kind, b.kind) || compare(a.metadata.name, b.metadata.name)
  );
}

function placeOf({ kind }: Pick<KubernetesObject, "kind">): number {
  const place = APPLY_ORDER.indexOf(kind);
  return place < 0 ? APPLY_ORDER.length : place;
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0;
