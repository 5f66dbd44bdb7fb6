import type { JsonObject } from "@mpc/domain";

/** What every object's `metadata` may hold, as the API's JSON has it: times are RFC 3339 texts. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** Which fields one manager owns (Kubernetes, "Server-Side Apply"). */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: "Apply" | "Update";
  readonly subresource?: string;
  readonly fieldsV1?: JsonObject;
}

/** An object as the API server has it, or as we apply it: its JSON. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** A kind of objects, by the version that we speak. */
export interface ObjectKind {
  /** `v1`, or `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object. */
export interface ObjectRef extends ObjectKind {
  /** Undefined for what stands in no namespace. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Names an object by what it says of itself. */
export function refOf({ apiVersion, kind, metadata }: LiveObject): ObjectRef {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

/** `Kind/namespace/name`, or `Kind/name`: how people are told of an object. */
export function textOf({ kind, namespace, name }: ObjectRef): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/** The value at a path of fields and indices; undefined where there is none. */
export function fieldAt(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
