import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { type KubernetesObject, REVISION, TRACEPARENT } from "../render/mod.ts";
import { annotated } from "./kind_history.ts";

/**
 * The objects, of which those that change with every revision, and a new namespace, name the trace
 * that made them. What is applied again keeps its trace, so that the annotation alone never changes
 * an object.
 * @param before the objects on the cluster, by their texts
 * @param traceparent of the operation; null if it is not traced
 */
export function annotateTrace(
  objects: readonly KubernetesObject[],
  before: ReadonlyMap<string, LiveObject>,
  traceparent: string | null,
): readonly KubernetesObject[] {
  return objects.map((object) => {
    const revision = object.metadata.annotations?.[REVISION];
    if (revision === undefined && object.kind !== "Namespace") return object;
    const live = before.get(textOf(refOf(object)))?.metadata.annotations;
    const isKnown = before.has(textOf(refOf(object))) && live?.[REVISION] === revision;
    const value = isKnown ? live?.[TRACEPARENT] : traceparent ?? undefined;
    return value === undefined ? object : annotated(object, { [TRACEPARENT]: value });
  });
}
