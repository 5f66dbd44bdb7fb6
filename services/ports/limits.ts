import type { Subject } from "./authorizer.ts";

/** What one principal may have and do at the same time; null is unlimited. */
export interface Limits {
  /** Environments that it has created and that are there. */
  readonly environments: number | null;
  /** Operations that it has requested and that have not ended. */
  readonly operations: number | null;
  /** Calls per second. */
  readonly callsPerSecond: number | null;
}

/** The limits of a subject as they are now. */
export type LimitsOf = (subject: Subject) => Limits;
