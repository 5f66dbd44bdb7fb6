/** A break of an invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** The resource or the object. */
  readonly subject: string;
  readonly message: string;
  /** The one command that repairs it. */
  readonly remedy: string;
}

/** What holds while all is well, for people. */
export const INVARIANTS = {
  RESOURCE_WITHOUT_OPERATION: "every resource that is changing has a live operation",
  WORKLOAD_WITHOUT_ENVIRONMENT: "every workload's environment is there",
  CLUSTER_UNREADABLE: "every cluster can be read",
  OBJECT_WITHOUT_RECORD: "every object on a cluster has a record",
  RECORD_WITHOUT_OBJECT: "every record has its objects on its cluster",
  WRONG_REVISION: "every workload runs the revision that its record names",
  OPERATION_NEEDS_ATTENTION: "no operation waits for a person",
  OPERATION_WAITS: "no operation waits for its engine",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** States of resources that nothing is at work on, and that are not broken. */
export const SETTLED: ReadonlySet<string> = new Set(["READY", "DEGRADED", "UPDATE_FAILED"]);
