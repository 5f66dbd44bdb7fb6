import { keyOf } from "../client/kinds.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { KINDS_HAD, type KubernetesObject } from "../render/mod.ts";

/**
 * The kinds that an owner has ever had objects of, as was noted at one of them; undefined where
 * nothing was. Whoever prunes need not look through all kinds that there are (the idea of
 * Kubernetes' ApplySet, KEP-3659).
 */
export function kindsHad(live: Iterable<LiveObject>): ReadonlySet<string> | undefined {
  for (const { metadata } of live) {
    const noted = metadata.annotations?.[KINDS_HAD];
    if (noted !== undefined) return new Set(noted.split(","));
  }
  return undefined;
}

/** What rolls pods out is always there, and carries the note. */
const NOTED_AT: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

/**
 * The objects, one of them with a note of all kinds: what is pruned after this may fail, so none is
 * ever taken off the list.
 */
export function withKindsNoted(
  objects: readonly KubernetesObject[],
  had: ReadonlySet<string>,
): readonly KubernetesObject[] {
  const kinds = [...new Set([...had, ...objects.map(keyOf)])].sort().join(",");
  const at = objects.findIndex(({ kind }) => NOTED_AT.has(kind));
  return objects.map((object, index) =>
    index === at ? annotated(object, { [KINDS_HAD]: kinds }) : object
  );
}

/** Those of `kinds` that are in the set. */
export function among(
  kinds: readonly ObjectKind[],
  had: ReadonlySet<string>,
): readonly ObjectKind[] {
  return kinds.filter((kind) => had.has(keyOf(kind)));
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
