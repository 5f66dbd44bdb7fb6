/** Every reason of an event or of a condition, with what it says; in CamelCase, as Kubernetes has them. */
export const EVENT_REASONS = {
  AdmissionWithdrawn: "An operation gave its lock back, because its admission was taken back",
  AsApplied: "The cluster has the resource as it was applied",
  CancelRequested: "Somebody asked to cancel the operation",
  CannotCompare: "The resource cannot be compared with what its cluster has",
  ChangedByOthers: "Somebody else has changed the resource on the cluster",
  CreateFailed: "The environment could not be created",
  ClaimRequested: "Somebody asked to claim a cluster for this database",
  ClusterClaimLost:
    "Another copy of this database claims the cluster, which is not changed any more",
  ClusterClaimed: "The cluster is claimed by this database again",
  Creating: "The environment is being created",
  Degraded: "The workload runs its previous revision, because the new one failed",
  DeleteFailed: "The resource could not be deleted",
  Deleting: "The resource is being deleted",
  DeletionDropped: "A queued deletion was cancelled before it began",
  DeletionQueued: "A deletion waits for the running operation, which it has cancelled",
  DeployFailed: "The workload could not be deployed",
  Deploying: "The workload is being deployed",
  ExpiresSoon: "The environment is about to expire",
  Gone: "The resource's record is deleted",
  OperationAdmitted: "The operation holds its resource and may begin",
  OperationCancelled: "The operation was cancelled",
  OperationDropped: "The operation was never admitted; its record is deleted",
  OperationFailed: "The operation failed, and what it did is undone",
  OperationForgotten: "The record of an old operation is deleted",
  OperationGoesOn: "A worker goes on with the operation again",
  OperationNeedsAttention: "The operation failed, and not all of what it did is undone",
  OperationRequested: "Somebody asked for the operation",
  OperationSucceeded: "The operation succeeded",
  OperationTakenOver: "Another engine continues the operation",
  OperationWaiting: "The operation waits, because its engine does not go on with it",
  OrphanForgotten: "An orphaned object is left on a cluster that workers no longer have",
  OrphanSwept: "An orphaned object was removed from its cluster",
  Ready: "The resource is as it was asked for",
  Released: "An operation gave its lock back",
  StepCancelled: "A step was cancelled",
  StepCutOff: "A step was running when the engine ended its operation",
  StepFailed: "A step failed for good",
  StepProgressed: "A running step reported progress",
  StepRetrying: "An attempt of a step failed; another one follows",
  StepStarted: "An attempt of a step began",
  StepSucceeded: "A step succeeded",
  StepUndone: "A step is undone",
  SweepSkipped: "A sweep left objects alone: they changed, or others use their namespace",
  SweepRequested: "Somebody asked for the removal of objects without a record",
  UndoFailed: "The undo of a step failed for good",
  UndoRetrying: "An attempt to undo a step failed; another one follows",
  UndoStarted: "An attempt to undo a step began",
  UpdateFailed: "The environment could not be updated",
  Updating: "The environment is being updated",
  WorkloadClaimed: "The deletion of the environment holds the workload",
  WorkloadReleased: "The deletion of the environment has ended without the workload",
} as const;

export type EventReason = keyof typeof EVENT_REASONS;

type CamelCase<State extends string> = State extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Lowercase<Word>>}${CamelCase<Rest>}`
  : Capitalize<Lowercase<State>>;

/** The reason that a state gives to a condition or an event: `CREATE_FAILED` gives `CreateFailed`. */
export const stateReason = <State extends string>(state: State): CamelCase<State> =>
  state.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("") as CamelCase<
    State
  >;
