/** What the periodic passes find, and act on. */
export type HousekeepingFinding =
  /** Janitor: the admission of an operation was interrupted, and it was dropped. */
  | "OPERATION_DROPPED"
  /** Janitor: an operation that its engine does not run was started. */
  | "OPERATION_STARTED"
  /** Janitor: an operation that has ended in its engine was closed. */
  | "OPERATION_CLOSED"
  /** Janitor: a resource was locked by an operation that has ended. */
  | "LOCK_RELEASED"
  /** Janitor: an operation that a deletion waits for was cancelled. */
  | "HOLDER_CANCELLED"
  /** Janitor: the record of a workload without an environment was removed. */
  | "WORKLOAD_REMOVED"
  /** Janitor: what an abandoned resource left on a cluster was removed, or could not be yet. */
  | "ORPHAN_SWEPT"
  | "ORPHAN_LEFT"
  /** Janitor and expiry: one resource could not be settled. */
  | "NOT_SETTLED"
  /** Expiry: the deletion of an expired environment was requested, or its expiry announced. */
  | "EXPIRED"
  | "EXPIRES_SOON"
  /** Drift: a resource differs from its record, cannot be compared, or its cluster is away. */
  | "DRIFTED"
  | "DRIFT_UNKNOWN"
  | "CLUSTER_AWAY";

/** Observes the periodic passes of a process; its methods must not throw. */
export interface HousekeepingObserver {
  found(pass: "janitor" | "expiry" | "drift", finding: HousekeepingFinding): void;
  /** @param pass its name, such as `janitor_pass` */
  ended(pass: string, end: { readonly failed: boolean; readonly durationMs: number }): void;
}

export const UNOBSERVED: HousekeepingObserver = { found() {}, ended() {} };
