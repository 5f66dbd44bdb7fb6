/** A violation of an invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** The resource or object that it is about. */
  readonly subject: string;
  readonly message: string;
  /** The single command that repairs it, or what to do where no command does. */
  readonly remedy: string;
}

/** The invariants, for people. */
export const INVARIANTS = {
  STORE_UNUSABLE: "the store keeps what is written to it",
  ACCESS_FILE_REFUSED: "the access file is in force as it is written",
  RESOURCE_WITHOUT_OPERATION: "every resource that is changing has a live operation",
  WORKLOAD_WITHOUT_ENVIRONMENT: "every workload's environment is there",
  CLUSTER_CLAIMED_ELSEWHERE: "no other copy of the database changes the clusters",
  CLUSTER_UNREADABLE: "every cluster can be read",
  OBJECT_WITHOUT_RECORD: "every object on a cluster has a record",
  RECORD_WITHOUT_OBJECT: "every record has its objects on its cluster",
  WRONG_REVISION: "every workload runs the revision that its record names",
  RESOURCE_DRIFTED: "every object on a cluster is as it was applied",
  DELETION_FAILED: "every deletion that was asked for has succeeded",
  OPERATION_NEEDS_ATTENTION: "no operation waits for a person",
  OPERATION_WAITS: "no operation waits for its engine",
  ENGINE_WORKS: "the engine begins operations and runs its periodic tasks",
} as const;

export type Invariant = keyof typeof INVARIANTS;
