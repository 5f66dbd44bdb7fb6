import type { Instant, MpcError } from "@mpc/domain";

/**
 * What a cluster answers without changing it.
 *
 * Every call may fail with:
 * - `UNAVAILABLE` `CLUSTER_UNREACHABLE` (retryable)
 * - `PERMISSION_DENIED` `CLUSTER_FORBIDS`: what is not allowed stands in the message, and in
 *   `metadata` as `verb`, `resource` and `namespace`
 * - `UNAUTHENTICATED` `CLUSTER_CREDENTIALS`, `FAILED_PRECONDITION` `CLUSTER_NOT_TRUSTED` or
 *   `KUBECONFIG_UNUSABLE`: we cannot speak to it as we are set up
 * - `CANCELLED` `ABORTED_BY_CALLER`: the signal was aborted
 */
export interface ClusterReader {
  /** Every object with the platform's labels; an unreachable cluster does not fail the others. */
  inventory(call: ProviderCall): Promise<Inventory>;
  /** How a workload stands; undefined where the cluster has none. */
  rolloutStatus(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<RolloutStatus | undefined>;
  /**
   * What the replicas print, in order of time.
   * @throws `NOT_FOUND` `NOT_ON_CLUSTER`: there is no such workload or replica
   */
  logs(environment: string, workload: string, query: LogQuery): AsyncIterable<LogLine>;
  /** The copies of a workload, by name; none where the cluster has nothing of it. */
  pods(environment: string, workload: string, call: ProviderCall): Promise<readonly PodStatus[]>;
  /** What was noticed about a workload's objects, the latest last; clusters forget after a while. */
  events(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly ClusterEvent[]>;
}

export interface ProviderCall {
  /** Every call ends when this does. */
  readonly signal: AbortSignal;
}

/** How a rollout stands. */
export interface RolloutStatus {
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  /** Which revision these replicas run. */
  readonly revision: number;
  /** For people, for instance `1 of 2 replicas ready`. */
  readonly message: string;
}

/** One object of a cluster that this installation applied. */
export interface ClusterObject {
  /** Name of the cluster. */
  readonly cluster: string;
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly object: string;
  /** Name of the resource it belongs to. */
  readonly target: string;
  readonly targetUid: string;
  /** The revision it was made of; 0 for what has none. */
  readonly revision: number;
}

/** What this installation and others applied, on every cluster that could be read. */
export interface Inventory {
  readonly objects: readonly ClusterObject[];
  readonly foreign: readonly ForeignObjects[];
  /** Names of all clusters that there are. */
  readonly clusters: readonly string[];
  /** Those of them of which nobody can tell what they have. */
  readonly unread: readonly UnreadCluster[];
}

/** Objects on a cluster that another installation applied; they are never changed. */
export interface ForeignObjects {
  readonly cluster: string;
  /** Id of the other installation; empty where the objects name none. */
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

/** One copy of a workload, as the cluster sees it. */
export interface PodStatus {
  readonly name: string;
  /** In the cluster's words, for instance `Running` or `CrashLoopBackOff`. */
  readonly status: string;
  /** Why it is not ready, for people; empty where it is, or the cluster does not say. */
  readonly message: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly image: string;
  /** Empty where no node has taken it. */
  readonly node: string;
  readonly createTime: Instant;
}

/** Something that the cluster noticed about an object of a workload. */
export interface ClusterEvent {
  /** When it was noticed last. */
  readonly time: Instant;
  /** How often it was noticed. */
  readonly count: number;
  readonly warning: boolean;
  /** In CamelCase, for programs. */
  readonly reason: string;
  /** `Kind/namespace/name` */
  readonly object: string;
  readonly message: string;
}
