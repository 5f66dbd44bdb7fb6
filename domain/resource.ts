import type { Condition } from "./condition.ts";
import type { Instant } from "./time.ts";

/** What every resource carries. */
export interface Resource {
  readonly name: string;
  /** Unique over all time; a name that is used again gets a new one. */
  readonly uid: string;
  /** Counts changes of what is asked for. */
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly conditions: readonly Condition[];
  /** The operation that holds this resource: the lock of one operation at a time. */
  readonly currentOperation: string | null;
  /** The deletion that takes the resource over when the current operation has stopped. */
  readonly nextOperation: string | null;
  readonly lastOperation: string | null;
}
