import type { Advice, Instant, MpcError } from "@mpc/domain";

/**
 * Reads of a cluster, which change nothing.
 *
 * Every call may fail with:
 * - `UNAVAILABLE` `CLUSTER_UNREACHABLE` (retryable)
 * - `PERMISSION_DENIED` `CLUSTER_FORBIDS`: the message names what is forbidden, and so does
 *   `metadata` with `verb`, `resource` and `namespace`
 * - `UNAUTHENTICATED` `CLUSTER_CREDENTIALS`, `FAILED_PRECONDITION` `CLUSTER_NOT_TRUSTED` or
 *   `KUBECONFIG_UNUSABLE`: our configuration does not allow a connection
 * - `CANCELLED` `ABORTED_BY_CALLER`: the signal was aborted
 */
export interface ClusterReader {
  /** Every object with the platform's labels; an unreachable cluster does not fail the others. */
  inventory(call: ProviderCall): Promise<Inventory>;
  /**
   * Objects in the namespace of an environment that this installation did not apply, as
   * `Kind/namespace/name`: they would be deleted with it. Objects that the cluster makes in every
   * namespace, and what a controller made for a listed object, do not count. Every kind
   * that the cluster has is looked for; `Kind/namespace/*` is a kind that the worker may not list.
   */
  unmanagedObjects(intent: Ref, call: ProviderCall): Promise<readonly string[]>;
  /** The progress of a workload's rollout; undefined if the cluster does not have the workload. */
  rolloutStatus(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<RolloutStatus | undefined>;
  /**
   * The log lines of the replicas, in order of time.
   * @throws `NOT_FOUND` `NOT_ON_CLUSTER`: there is no such workload or replica
   */
  logs(environment: string, workload: string, query: LogQuery): AsyncIterable<LogLine>;
  /** The copies of a workload, by name; none if the cluster has none. */
  pods(environment: string, workload: string, call: ProviderCall): Promise<readonly PodStatus[]>;
  /** The cluster's events about a workload's objects, newest last; clusters delete old events. */
  events(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly ClusterEvent[]>;
}

export interface ProviderCall {
  /** Aborting it ends the call. */
  readonly signal: AbortSignal;
}

/** Identifies the namespace of one environment. */
export interface Ref {
  readonly environment: string;
  readonly uid: string;
  /** Name of the cluster, for a resource without a record that names it. */
  readonly cluster?: string;
}

/** The progress of a rollout. */
export interface RolloutStatus {
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  /** The revision that these replicas run. */
  readonly revision: number;
  /** For people, for instance `1 of 2 replicas ready`. */
  readonly message: string;
}

/** The progress of a rollout that a call waits for. */
export interface RolloutProgress extends RolloutStatus {
  /** Who can end what the rollout waits for, and how; absent while it needs nobody. */
  readonly advice?: Advice;
}

/** One object of a cluster that this installation applied. */
export interface ClusterObject {
  /** Name of the cluster. */
  readonly cluster: string;
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly object: string;
  /** Name of the resource that it belongs to. */
  readonly target: string;
  readonly targetUid: string;
  /** The revision that it was rendered from; 0 if it has none. */
  readonly revision: number;
  /** Another one once the object is edited or replaced; empty while it is being deleted. */
  readonly version: string;
}

/** The objects of this and other installations, on every cluster that could be read. */
export interface Inventory {
  readonly objects: readonly ClusterObject[];
  readonly foreign: readonly ForeignObjects[];
  /** Names of all configured clusters. */
  readonly clusters: readonly string[];
  /** The clusters whose objects are not known. */
  readonly unread: readonly UnreadCluster[];
}

/** Objects on a cluster that another installation applied; they are never changed. */
export interface ForeignObjects {
  readonly cluster: string;
  /** Id of the other installation; empty if the objects do not name one. */
  readonly installation: string;
  /** How many objects there are. */
  readonly objects: number;
}

/** A cluster that could not be read, and why: one of the failures of {@linkcode ClusterReader}. */
export interface UnreadCluster {
  readonly cluster: string;
  readonly error: MpcError;
}

export interface LogQuery extends ProviderCall {
  readonly follow: boolean;
  /** Only the last lines of each replica; null for all. */
  readonly tail: number | null;
  readonly since: Instant | null;
  /** Only this replica; null for all. */
  readonly replica: string | null;
}

export interface LogLine {
  readonly replica: string;
  readonly time: Instant;
  readonly text: string;
}

/** One copy of a workload, as the cluster reports it. */
export interface PodStatus {
  readonly name: string;
  /** The cluster's term, for instance `Running` or `CrashLoopBackOff`. */
  readonly status: string;
  /** Why it is not ready, for people; empty if it is ready, or if the cluster gives no reason. */
  readonly message: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly image: string;
  /** Empty if it is not scheduled to a node. */
  readonly node: string;
  readonly createTime: Instant;
}

/** An event of the cluster about an object of a workload. */
export interface ClusterEvent {
  /** When it happened last. */
  readonly time: Instant;
  /** How often it has happened. */
  readonly count: number;
  readonly warning: boolean;
  /** In CamelCase, for programs. */
  readonly reason: string;
  /** `Kind/namespace/name` */
  readonly object: string;
  readonly message: string;
}
