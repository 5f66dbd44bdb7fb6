import { listKinds } from "../client/bulk_requests.ts";
import { keyOf } from "../client/kinds.ts";
import type { KubeClient, Selection } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { CONTROLLER_KINDS } from "../managed_kinds.ts";
import { KIND_HISTORY, type KubernetesObject } from "../render/mod.ts";

/**
 * Every kind that an owner has ever had objects of, from the annotations of its objects; undefined
 * without an annotation. Pruning then lists only these kinds (the idea of Kubernetes' ApplySet,
 * KEP-3659).
 */
export function readKindHistory(live: Iterable<LiveObject>): ReadonlySet<string> | undefined {
  const noted = [...live].flatMap(({ metadata }) => metadata.annotations?.[KIND_HISTORY] ?? []);
  return noted.length > 0 ? new Set(noted.flatMap((kinds) => kinds.split(","))) : undefined;
}

/** The same, from whichever controllers of an owner exist. */
export async function findKindHistory(
  client: KubeClient,
  selection: Selection,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  return readKindHistory(await listKinds(client, CONTROLLER_KINDS, selection, signal));
}

/** The kind of the object that has the annotation; undefined if none has it. */
export function annotatedKindOf(
  objects: readonly KubernetesObject[],
  kinds: readonly ObjectKind[],
): ObjectKind | undefined {
  const annotated = objects.find(isAnnotated);
  return annotated && kinds.find((kind) => keyOf(kind) === keyOf(annotated));
}

const ANNOTATED_KINDS: ReadonlySet<string> = new Set(CONTROLLER_KINDS.map(({ kind }) => kind));

const isAnnotated = ({ kind }: KubernetesObject): boolean => ANNOTATED_KINDS.has(kind);

/**
 * The objects, one of them with the annotation. A kind is never removed from it, because the pruning
 * that follows may fail.
 */
export function annotateKindHistory(
  objects: readonly KubernetesObject[],
  history: ReadonlySet<string>,
): readonly KubernetesObject[] {
  const kinds = [...new Set([...history, ...objects.map(keyOf)])].sort().join(",");
  const at = objects.findIndex(isAnnotated);
  return objects.map((object, index) =>
    index === at ? annotated(object, { [KIND_HISTORY]: kinds }) : object
  );
}

/** An object with more annotations. */
export function annotated(
  object: KubernetesObject,
  annotations: Readonly<Record<string, string>>,
): KubernetesObject {
  const metadata = {
    ...object.metadata,
    annotations: { ...object.metadata.annotations, ...annotations },
  };
  return { ...object, metadata };
}
