import type { Condition } from "./condition.ts";
import type { Instant } from "./time.ts";

/** The fields that every resource has. */
export interface Resource {
  readonly name: string;
  /** Never reused: a resource with the name of a deleted one gets a new uid. */
  readonly uid: string;
  /** Counts changes of the desired state. */
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly conditions: readonly Condition[];
  /** The operation that holds this resource's lock; at most one at a time. */
  readonly currentOperation: string | null;
  /** The deletion that takes over the lock when the current operation has stopped. */
  readonly nextOperation: string | null;
  readonly lastOperation: string | null;
}
