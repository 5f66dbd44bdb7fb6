import type {
  ErrorRecord,
  Instant,
  JsonObject,
  MpcError,
  OperationKind,
  PlannedChange,
  Quota,
  Residue,
  WorkloadSpec,
} from "@mpc/domain";

/** Time as a port, so that tests own it. */
export interface Clock {
  now(): Instant;
  /**
   * Resolves after `ms`, at once where that is not positive.
   * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` when the signal is aborted first
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Unique ids and randomness as a port, so that tests can repeat a run. */
export interface Ids {
  /** A UUID, version 7: later ones sort behind earlier ones (RFC 9562). */
  uuid(): string;
  /** In [0, 1). */
  random(): number;
}

/** What an engine knows of an operation. */
export type EngineStatus =
  | { readonly state: "running" }
  /** It may be started. */
  | { readonly state: "absent" }
  /** It was ended from outside and cannot be started again; the error says how. */
  | { readonly state: "ended"; readonly error: ErrorRecord };

/**
 * Carries out admitted operations.
 *
 * Every call may fail with a reason that begins with `ENGINE_`, for instance `UNAVAILABLE`
 * `ENGINE_UNREACHABLE`: it takes no orders now, of any operation.
 */
export interface Engine {
  /** `embedded` or `temporal`: operations record which one runs them. */
  readonly name: string;
  /** Begins an operation, or goes on with it; does nothing where it runs or has ended. */
  start(operation: string): Promise<void>;
  /** Carries a cancellation mark to the running operation; does nothing where none runs. */
  cancel(operation: string): Promise<void>;
  /** How it stands with an operation that has not ended by its record. */
  status(operation: string): Promise<EngineStatus>;
  /** Stops work without ending operations: they go on when an engine starts them again. */
  close(): Promise<void>;
}

/** Says what an operation would change on the cluster, by the code path that changes it. */
export interface Planner {
  /**
   * The changes of all steps, in their order.
   * @throws what the steps themselves would throw, for instance `RESOURCE_EXHAUSTED`
   */
  changes(
    kind: OperationKind,
    target: string,
    input: JsonObject,
    signal: AbortSignal,
  ): Promise<readonly PlannedChange[]>;
}

export interface ProviderCall {
  /** Every call ends when this does. */
  readonly signal: AbortSignal;
}

export interface ApplyCall extends ProviderCall {
  /**
   * Answers with the changes, by the same code path, and makes none. A namespace that is not there
   * counts as about to be created, so that a whole plan can be made before its first step.
   */
  readonly dryRun?: boolean;
  /** Takes fields over that somebody else manages, in place of failing with `CLUSTER_CONFLICT`. */
  readonly forceConflicts?: boolean;
}

/** The part of an environment that the cluster carries. */
export interface NamespaceIntent {
  /** Id of the environment. */
  readonly environment: string;
  readonly uid: string;
  /** Name of the cluster that carries it. */
  readonly cluster: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly quota: Quota;
}

/** The part of a workload that the cluster carries. */
export interface WorkloadIntent {
  /** Id of the environment. */
  readonly environment: string;
  /** Id of the workload. */
  readonly workload: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: WorkloadSpec;
  readonly revision: number;
  readonly restartToken: string;
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

/** One object of a cluster that carries our labels. */
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

/** What carries our labels, on every cluster that could be read. */
export interface Inventory {
  readonly objects: readonly ClusterObject[];
  /** Names of all clusters that there are. */
  readonly clusters: readonly string[];
  /** Those of them of which nobody can tell what they have. */
  readonly unread: readonly UnreadCluster[];
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
  /** Everything that carries our labels; of several clusters one that is away fails none. */
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

/**
 * A cluster that carries environments and workloads. All changes are idempotent: twice is as good
 * as once, and deleting what is not there works. Objects belong to a resource by name *and* uid:
 * what another uid owns is never changed.
 *
 * Besides the failures of {@linkcode ClusterReader} every change may fail with:
 * - `ALREADY_EXISTS` `OWNED_BY_ANOTHER`: an object of that name belongs to somebody else (permanent)
 * - `ABORTED` `CLUSTER_CONFLICT`: somebody else changed the object meanwhile (retryable), or manages
 *   fields of it (permanent; `metadata` has `manager` and `fields`; see `forceConflicts`)
 * - `FAILED_PRECONDITION` `ADMISSION_DENIED`, `IMMUTABLE_FIELD`; `INVALID_ARGUMENT`
 *   `OBJECT_INVALID`: the cluster does not take it (permanent); `UNAVAILABLE`
 *   `ADMISSION_UNREACHABLE`: who has to be asked does not answer (retryable)
 */
export interface Provider extends ClusterReader {
  /** `simulated` or `kubernetes`. */
  readonly name: string;
  /** Fails as any call would where a cluster cannot be reached or refuses us; costs little. */
  assertReachable(call: ProviderCall): Promise<void>;
  /**
   * Creates the namespace of an environment, or brings its labels up to date.
   * @throws `FAILED_PRECONDITION` `UNKNOWN_CLUSTER`: there is no cluster of the intent's name
   */
  applyNamespace(intent: NamespaceIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Sets quota, limits and network policy of an environment.
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`: there is no namespace, or it is being deleted
   */
  applyPolicies(intent: NamespaceIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /** Removes quota, limits and network policy again. */
  deletePolicies(intent: Ref, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /** Asks for the deletion of a namespace and all in it; does not wait. */
  deleteNamespace(intent: Ref, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Waits until a namespace is gone.
   * @param onBlocked is told each time what blocks the deletion changes
   */
  awaitNamespaceGone(
    intent: Ref,
    call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void>;
  /**
   * Creates or changes the objects of a workload; does not wait for the rollout.
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED` (permanent): the environment's quota forbids it
   * @throws `FAILED_PRECONDITION` `CHARTS_UNSUPPORTED`: the spec is a chart, and this cluster renders
   *   none
   */
  applyWorkload(intent: WorkloadIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Waits until the rollout of `revision` is complete, and fails fast.
   * @param onProgress is told each change
   * @throws `FAILED_PRECONDITION` with the pod's own reason, permanent: `IMAGE_PULL_FAILED`,
   *   `CRASH_LOOP`, `OOM_KILLED`, `CONTAINER_NOT_STARTED`, `UNSCHEDULABLE`,
   *   `PROGRESS_DEADLINE_EXCEEDED`; `metadata` has `pod`, for a crash also `exitCode` and `lastLog`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED`, `FAILED_PRECONDITION` `ADMISSION_DENIED`
   *   (permanent): no pod may be made
   * @throws `NOT_FOUND` `NOT_ON_CLUSTER`: the objects are not there
   */
  awaitRollout(
    intent: WorkloadIntent,
    call: ProviderCall & { readonly onProgress?: (status: RolloutStatus) => void },
  ): Promise<RolloutStatus>;
  /**
   * What of a workload is otherwise on the cluster than its intent says, as the changes that would
   * put it back; makes none. What an autoscaler decides is as it should be.
   */
  drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly PlannedChange[]>;
  /** Asks for the deletion of a workload's objects; does not wait. */
  deleteWorkload(intent: WorkloadRef, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /** Waits until a workload's objects are gone. */
  awaitWorkloadGone(
    intent: WorkloadRef,
    call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void>;
  /** Lets go of connections and timers. */
  close(): Promise<void>;
}

/** Names the namespace of one environment. */
export interface Ref {
  readonly environment: string;
  readonly uid: string;
  /** Name of the cluster that has it, for what has no record any more that says so. */
  readonly cluster?: string;
}

/** Names the objects of one workload. */
export interface WorkloadRef extends Ref {
  readonly workload: string;
}
