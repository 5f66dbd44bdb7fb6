import type { V1ObjectMeta } from "@kubernetes/client-node";
import type { Wire } from "./wire_format.ts";

/** A kind of object in one API version. */
export interface ObjectKind {
  /** `v1`, or `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
}

/** Identifies one object. */
export interface ObjectRef extends ObjectKind {
  /** Undefined for a cluster-scoped object. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An object as the API server returns it: its JSON. */
export interface LiveObject extends ObjectKind {
  readonly metadata: Wire<V1ObjectMeta> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** An object as it is applied: its JSON, with the labels that mark it as ours. */
export interface KubernetesObject extends LiveObject {
  readonly metadata: LiveObject["metadata"] & {
    readonly labels: Readonly<Record<string, string>>;
  };
}

export function refOf({ apiVersion, kind, metadata }: LiveObject): ObjectRef {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

/** `Kind/namespace/name`, or `Kind/name`: how messages and plans name an object. */
export function textOf({ kind, namespace, name }: ObjectRef): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/** An object in the words of kubectl, for instance `deployment web --namespace dev`. */
export function kubectlNameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind.toLowerCase()} ${name}${
    namespace === undefined ? "" : ` --namespace ${namespace}`
  }`;
}

/** The value at a path of fields and indices; undefined if the path does not exist. */
export function fieldAt(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
