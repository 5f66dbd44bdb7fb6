import type { PlannedChange, Quota, Residue, WorkloadSpec } from "@mpc/domain";
import type { Claims } from "./claims.ts";
import type {
  ClusterReader,
  ProviderCall,
  Ref,
  RolloutProgress,
  RolloutStatus,
} from "./cluster_reader.ts";
import type { TokenReviewer } from "./token_reviewer.ts";

/**
 * A cluster with environments and workloads. All changes are idempotent, and deleting an object
 * that does not exist succeeds. Objects belong to a resource by name *and* uid: an object of
 * another uid is never changed.
 *
 * Besides the failures of {@linkcode ClusterReader}, every change may fail with:
 * - `FAILED_PRECONDITION` `CLUSTER_CLAIMED_ELSEWHERE`: another copy of the store claims the cluster
 *   (permanent); nothing was asked of the cluster
 * - `ALREADY_EXISTS` `OWNED_BY_ANOTHER`: an object of that name belongs to somebody else (permanent)
 * - `ABORTED` `CLUSTER_CONFLICT`: somebody else has just changed the object (retryable)
 * - `ABORTED` `FIELD_CONFLICT`: somebody else manages fields of the object (permanent; `metadata` has
 *   `manager` and `fields`; see `forceConflicts`)
 * - `FAILED_PRECONDITION` `ADMISSION_DENIED`, `IMMUTABLE_FIELD`; `INVALID_ARGUMENT`
 *   `OBJECT_INVALID`: the cluster rejects the object (permanent); `UNAVAILABLE`
 *   `ADMISSION_UNREACHABLE`: an admission webhook does not answer (retryable)
 *
 * A failed change may say what it has changed nevertheless, for the undo (`madeBy` of the domain).
 */
export interface Provider extends ClusterReader, TokenReviewer {
  /** `simulated` or `kubernetes`. */
  readonly name: string;
  /** The claims to the clusters, which every change needs; absent where nothing else can claim them. */
  readonly claims?: Claims;
  /** A cheap call that fails like any other if the cluster is unreachable or rejects us. */
  assertReachable(call: ProviderCall): Promise<void>;
  /**
   * Creates the namespace of an environment, or updates its labels.
   * @throws `FAILED_PRECONDITION` `UNKNOWN_CLUSTER`: there is no cluster of the intent's name
   */
  applyNamespace(intent: NamespaceIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Sets quota, limits and network policy of an environment.
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`: there is no namespace, or it is being deleted
   */
  applyPolicies(intent: NamespaceIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /** Removes quota, limits and network policy. */
  deletePolicies(intent: Ref, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /** Requests the deletion of a namespace and everything in it; does not wait. */
  deleteNamespace(intent: Ref, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Waits until a namespace is gone.
   * @param onBlocked called whenever the list of blockers changes
   */
  awaitNamespaceGone(
    intent: Ref,
    call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void>;
  /**
   * Creates or changes the objects of a workload; does not wait for the rollout. What pods of the
   * revision before need, and Services that select them, stay as they are.
   * @throws `FAILED_PRECONDITION` `NO_NAMESPACE`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED` (permanent): the environment's quota forbids it
   * @throws `FAILED_PRECONDITION` `CHARTS_UNSUPPORTED`: the spec is a chart, and this cluster renders
   *   none
   */
  applyWorkload(intent: WorkloadIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * Waits until the rollout of `revision` is complete, and fails as soon as it cannot succeed.
   * Objects of other revisions do not count. Deletes broken pods of other revisions that keep a controller from going on.
   * @throws `FAILED_PRECONDITION` with the pod's own reason, permanent: `IMAGE_PULL_FAILED`,
   *   `CRASH_LOOP`, `OOM_KILLED`, `CONTAINER_NOT_STARTED`, `UNSCHEDULABLE`, `VOLUME_NOT_BOUND`,
   *   `JOB_FAILED`, `ROLLOUT_PAUSED`, `PROGRESS_DEADLINE_EXCEEDED`; `metadata` has `pod`, for a crash also `exitCode` and `lastLog`,
   *   for a Job also `job`
   * @throws `RESOURCE_EXHAUSTED` `QUOTA_EXCEEDED`, `FAILED_PRECONDITION` `ADMISSION_DENIED`
   *   (permanent): no pod may be created
   * @throws `NOT_FOUND` `NOT_ON_CLUSTER`: the objects do not exist
   */
  awaitRollout(intent: WorkloadIntent, call: RolloutCall): Promise<RolloutStatus>;
  /**
   * Ends an update after its rollout: switches Services to the new pods, and asks for the deletion of
   * the objects that the workload no longer has. Claims are kept until the workload is deleted.
   * @returns the deletions
   */
  pruneWorkload(intent: WorkloadIntent, call: ApplyCall): Promise<readonly PlannedChange[]>;
  /**
   * The differences of the cluster from a workload's intent, as the changes that would undo them;
   * changes nothing. The decisions of an autoscaler are not differences.
   */
  drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly Difference[]>;
  /** The same for an environment: its namespace, quota, limits and network policies. */
  environmentDrift(intent: NamespaceIntent, call: ProviderCall): Promise<readonly Difference[]>;
  /**
   * Requests the deletion of the objects of workloads; does not wait.
   * @returns the deletions; with `withNamespace` those of what runs pods
   * @param intents of one environment; deleting them together costs little more than deleting one
   */
  deleteWorkloads(
    intents: readonly WorkloadRef[],
    call: DeleteCall,
  ): Promise<readonly PlannedChange[]>;
  /** Waits until a workload's objects are gone. */
  awaitWorkloadGone(intent: WorkloadRef, call: WorkloadWait): Promise<void>;
  /** Closes connections and timers. */
  close(): Promise<void>;
}

export interface ApplyCall extends ProviderCall {
  /**
   * Returns the changes, computed by the same code, without making them. A missing namespace counts
   * as about to be created, so that a plan can be made before the first step.
   */
  readonly dryRun?: boolean;
  /**
   * Called right before the deletion of each object; a rejection ends the call. The deletion is then a
   * conflict for an object that has changed since it was read. For callers that may have been paused.
   */
  readonly beforeDelete?: () => Promise<void>;
  /** Takes over fields that somebody else manages, instead of failing with `FIELD_CONFLICT`. */
  readonly forceConflicts?: boolean;
  /**
   * Applies only these of the objects, as `Kind/namespace/name`: the others are as they were, and an
   * apply could fail again for what had kept it from changing them. By default all.
   */
  readonly only?: readonly string[];
  /** Undoes a later revision that failed: Jobs of the intent have completed and do not run again. */
  readonly restore?: boolean;
  /** A deployment has failed before and may have left objects of any kind; `restore` implies it. */
  readonly leftovers?: boolean;
  /** The same spec was deployed before: Jobs that delete themselves when they end do not run again. */
  readonly sameSpec?: boolean;
}

export interface DeleteCall extends ApplyCall {
  /** The namespace is deleted next, with everything in it: only what runs pods is deleted before. */
  readonly withNamespace?: boolean;
}

/** A difference of the cluster from what was applied, as the change that would undo it. */
export interface Difference extends PlannedChange {
  /** The command without which applying would be refused; absent where applying is enough. */
  readonly remedy?: string;
}

export interface RolloutCall extends ProviderCall {
  /** Called at each change; the message says what the rollout waits for, as far as it is known. */
  readonly onProgress?: (status: RolloutProgress) => void;
  /** Undoes a later revision that failed: its pods that are not ready are in the way. */
  readonly restore?: boolean;
}

/** The part of an environment that is on the cluster. */
export interface NamespaceIntent {
  /** Id of the environment. */
  readonly environment: string;
  readonly uid: string;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly quota: Quota;
}

/** The part of a workload that is on the cluster. */
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

export interface WorkloadWait extends ProviderCall {
  /** Called whenever the list of blockers changes. */
  readonly onBlocked?: (blockers: readonly Residue[]) => void;
  /** The objects that the deletion named, if it has just done so; they need not be looked for. */
  readonly deleted?: readonly PlannedChange[];
}

/** Identifies the objects of one workload. */
export interface WorkloadRef extends Ref {
  readonly workload: string;
}
