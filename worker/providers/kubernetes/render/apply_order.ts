import type { KubernetesObject } from "../client/kube_object.ts";

/**
 * Kinds in the order of applying: an object comes after the objects that it refers to and after the
 * policies that apply to it. Kinds that are not listed come last. Deletion uses the reverse order.
 */
const APPLY_ORDER: readonly string[] = [
  ...["Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange"],
  ...["ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap", "PersistentVolumeClaim"],
  ...["Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob"],
  ...["HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress"],
];

/** Sorts objects into the order of applying; objects of one kind are sorted by name. */
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
