import { keyOf } from "../client/kinds.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { KIND_HISTORY, type KubernetesObject } from "../render/mod.ts";

/**
 * Every kind that an owner has ever had objects of, from the annotation of one of its objects;
 * undefined without an annotation. Pruning then lists only these kinds (the idea of Kubernetes'
 * ApplySet, KEP-3659).
 */
export function readKindHistory(live: Iterable<LiveObject>): ReadonlySet<string> | undefined {
  for (const { metadata } of live) {
    const kinds = metadata.annotations?.[KIND_HISTORY];
    if (kinds !== undefined) return new Set(kinds.split(","));
  }
  return undefined;
}

/** The kinds of the object that has the annotation. */
const ANNOTATED_KINDS: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

/**
 * The objects, one of them with the annotation. A kind is never removed from it, because the pruning
 * that follows may fail.
 */
export function annotateKindHistory(
  objects: readonly KubernetesObject[],
  history: ReadonlySet<string>,
): readonly KubernetesObject[] {
  const kinds = [...new Set([...history, ...objects.map(keyOf)])].sort().join(",");
  const at = objects.findIndex(({ kind }) => ANNOTATED_KINDS.has(kind));
  return objects.map((object, index) =>
    index === at ? annotated(object, { [KIND_HISTORY]: kinds }) : object
  );
}

function annotated(
  object: KubernetesObject,
  annotations: Readonly<Record<string, string>>,
): KubernetesObject {
  const metadata = {
    ...object.metadata,
    annotations: { ...object.metadata.annotations, ...annotations },
  };
  return { ...object, metadata };
}
