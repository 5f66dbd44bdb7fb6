import type { Instant } from "@mpc/domain";

import type { KubernetesObject, LiveObject, ObjectKind, ObjectRef } from "./kube_object.ts";

/** The field manager of our applies. */
export const FIELD_MANAGER = "mpc";

export interface KubeCall {
  readonly signal: AbortSignal;
}

/** Selects objects of a kind. */
export interface Selection {
  /** Undefined for all namespaces. */
  readonly namespace?: string | undefined;
  /** In Kubernetes' syntax, for instance `mpc.dev/workload=web`. */
  readonly labelSelector?: string | undefined;
  /** In Kubernetes' syntax, for instance `involvedObject.kind=Pod`. */
  readonly fieldSelector?: string | undefined;
}

export interface ObjectList {
  readonly items: readonly LiveObject[];
  /** The version from which a watch continues. */
  readonly resourceVersion: string;
}

export interface ApplyOptions extends KubeCall {
  /** Takes over fields from other managers. */
  readonly force: boolean;
  /** The API server does everything except store the object (`dryRun=All`). */
  readonly dryRun: boolean;
  /** {@linkcode FIELD_MANAGER} by default. */
  readonly manager?: string;
  /** Uid of the object to change. It is a conflict if an object with another uid has the name now. */
  readonly uid?: string | undefined;
  /** Version of the object to change. It is a conflict if the object has changed since. */
  readonly resourceVersion?: string | undefined;
  /** The object is created. It is a conflict if an object with this name exists now. */
  readonly mustCreate?: boolean;
}

export interface DeleteOptions extends KubeCall {
  readonly propagation: "Foreground" | "Background" | "Orphan";
  /** Uid of the object to delete. A new object of the same name is not deleted. */
  readonly uid: string;
  /** Version of the object to delete. It is a conflict if the object has changed since. */
  readonly resourceVersion?: string | undefined;
}

export type WatchEvent =
  /** The server has accepted the watch. */
  | { readonly type: "OPENED" }
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: LiveObject }
  /** All changes up to this version were sent. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface PodLogQuery extends KubeCall {
  readonly namespace: string;
  readonly pod: string;
  /** Undefined for the only container. */
  readonly container?: string | undefined;
  readonly follow: boolean;
  /** The number of last lines; null for all. */
  readonly tail: number | null;
  readonly since: Instant | null;
  /** Reads the log of the previous, terminated instance of the container. */
  readonly previous?: boolean;
}

export interface PodLogLine {
  readonly time: Instant;
  readonly text: string;
}

/**
 * The API server of one cluster. Objects are its JSON.
 *
 * Every call may fail with:
 * - `UNAVAILABLE` `CLUSTER_UNREACHABLE`, retryable: it does not answer, or is overloaded
 * - `FAILED_PRECONDITION` `CLUSTER_NOT_TRUSTED`: its certificate does not match the kubeconfig
 * - `FAILED_PRECONDITION` `KUBECONFIG_UNUSABLE`, `CLUSTER_NOT_PERMITTED`: no request is possible
 * - `UNAUTHENTICATED` `CLUSTER_CREDENTIALS`: the credentials are rejected or have expired
 * - `PERMISSION_DENIED` `CLUSTER_FORBIDS`: `metadata` has `verb`, `resource` and `namespace`
 * - `FAILED_PRECONDITION` `KIND_UNKNOWN`: the cluster has no such kind
 * - `CANCELLED` `ABORTED_BY_CALLER`
 */
export interface KubeClient {
  /** The name of the cluster, for messages. */
  readonly cluster: string;
  /** Undefined if the object does not exist. */
  get(ref: ObjectRef, call: KubeCall): Promise<LiveObject | undefined>;
  list(kind: ObjectKind, selection: Selection, call: KubeCall): Promise<ObjectList>;
  /** Every kind whose objects are in namespaces and can be listed and deleted, by API discovery. */
  namespacedKinds(call: KubeCall): Promise<readonly ObjectKind[]>;
  /**
   * Creates or updates an object (Kubernetes, "Server-Side Apply").
   * @returns the resulting object, or in a dry run the object that would result
   * @throws `ABORTED` `FIELD_CONFLICT`, permanent: other managers own fields; `metadata` has `manager`
   *   and `fields`
   * @throws `ABORTED` `CLUSTER_CONFLICT`: somebody else changes the object at the same time
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`, `IMMUTABLE_FIELD`, `ADMISSION_DENIED`
   * @throws `INVALID_ARGUMENT` `OBJECT_INVALID`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED`, permanent
   */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<LiveObject>;
  /**
   * Asks a question that the API server answers and does not store, for instance a
   * `SelfSubjectAccessReview`.
   */
  review(question: ObjectKind & { readonly spec?: object }, call: KubeCall): Promise<unknown>;
  /**
   * Requests a deletion; does nothing if no object has this name and uid.
   * @throws `ABORTED` `CLUSTER_CONFLICT`: the object has another version
   */
  delete(ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /**
   * The changes after `resourceVersion`, with bookmarks, until the server ends the watch.
   * @throws `OUT_OF_RANGE` `WATCH_EXPIRED`: the version is too old; list again
   */
  watch(
    kind: ObjectKind,
    selection: Selection,
    from: KubeCall & { readonly resourceVersion: string },
  ): AsyncIterable<WatchEvent>;
  /** @throws `NOT_FOUND` `NOT_ON_CLUSTER`: the pod does not exist, or its container has not started */
  podLogs(query: PodLogQuery): AsyncIterable<PodLogLine>;
  /** Closes connections. */
  close(): Promise<void>;
}
