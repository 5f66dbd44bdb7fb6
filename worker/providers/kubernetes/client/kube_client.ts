import type { Instant } from "@mpc/domain";
import type { KubernetesObject } from "../render/mod.ts";
import type { LiveObject, ObjectKind, ObjectRef } from "./kube_object.ts";

/** The field manager of everything that we apply. */
export const FIELD_MANAGER = "mpc";

export interface KubeCall {
  /** Every call ends when this does. */
  readonly signal: AbortSignal;
}

/** Which objects of a kind. */
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
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface ApplyOptions extends KubeCall {
  /** Takes fields away from other managers. */
  readonly force: boolean;
  /** The API server does everything but keep it (`dryRun=All`). */
  readonly dryRun: boolean;
  /** {@linkcode FIELD_MANAGER} where it is not given. */
  readonly manager?: string;
  /** Uid of the object that is to be changed: where another one stands there now, it is a conflict. */
  readonly uid?: string | undefined;
}

export interface DeleteOptions extends KubeCall {
  readonly propagation: "Foreground" | "Background" | "Orphan";
  /** The object's own uid: what has been created anew since is not touched. */
  readonly uid: string;
}

/** One thing that a watch tells. */
export type WatchEvent =
  /** The server has begun to tell; until something changes, it is silent. */
  | { readonly type: "OPENED" }
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: LiveObject }
  /** Nothing that is watched has changed up to this version. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface PodLogQuery extends KubeCall {
  readonly namespace: string;
  readonly pod: string;
  /** Undefined for the only one. */
  readonly container?: string | undefined;
  readonly follow: boolean;
  /** Only the last lines; null for all. */
  readonly tail: number | null;
  readonly since: Instant | null;
  /** Of the container before, which has ended. */
  readonly previous?: boolean;
}

export interface PodLogLine {
  readonly time: Instant;
  readonly text: string;
}

/**
 * One cluster's API server. Objects are its JSON.
 *
 * Every call may fail with:
 * - `UNAVAILABLE` `CLUSTER_UNREACHABLE`: it does not answer, or answers that it cannot (retryable)
 * - `FAILED_PRECONDITION` `CLUSTER_NOT_TRUSTED`: its certificate is not what the kubeconfig says;
 * - `FAILED_PRECONDITION` `KUBECONFIG_UNUSABLE`, `CLUSTER_NOT_PERMITTED`: it cannot be called at all
 * - `UNAUTHENTICATED` `CLUSTER_CREDENTIALS`: the credentials are refused, or have expired
 * - `PERMISSION_DENIED` `CLUSTER_FORBIDS`: `metadata` has `verb`, `resource` and `namespace`
 * - `FAILED_PRECONDITION` `KIND_UNKNOWN`: the cluster has no such kind
 * - `CANCELLED` `ABORTED_BY_CALLER`
 */
export interface KubeClient {
  /** Which cluster, for messages. */
  readonly cluster: string;
  /** Undefined where there is no such object. */
  get(ref: ObjectRef, call: KubeCall): Promise<LiveObject | undefined>;
  list(kind: ObjectKind, selection: Selection, call: KubeCall): Promise<ObjectList>;
  /**
   * Creates or changes an object (Kubernetes, "Server-Side Apply").
   * @returns the object as it then is, or in a dry run would be
   * @throws `ABORTED` `CLUSTER_CONFLICT`, permanent: others manage fields; `metadata` has `manager`
   *   and `fields`. Retryable where the object is being changed or created by somebody else
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`, `IMMUTABLE_FIELD`, `ADMISSION_DENIED`
   * @throws `INVALID_ARGUMENT` `OBJECT_INVALID`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED`, permanent
   */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<LiveObject>;
  /** Asks for a deletion; does nothing where there is no such object of that uid. */
  delete(ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /**
   * What changes after `resourceVersion`, with bookmarks, until the server ends it.
   * @throws `OUT_OF_RANGE` `WATCH_EXPIRED`: the version is too old; list again
   */
  watch(
    kind: ObjectKind,
    selection: Selection,
    from: KubeCall & { readonly resourceVersion: string },
  ): AsyncIterable<WatchEvent>;
  /** @throws `NOT_FOUND` `NOT_ON_CLUSTER`: no such pod, or it has not printed anything yet */
  podLogs(query: PodLogQuery): AsyncIterable<PodLogLine>;
  /** Lets go of connections. */
  close(): Promise<void>;
}
