import type { Instant } from "./time.ts";

/** What an abandoned resource may have left on the cluster, until a sweep has removed it. */
export interface Orphan {
  /** `orphans/{uid of the abandoned resource}` */
  readonly name: string;
  /** Name of the resource that was abandoned. */
  readonly target: string;
  readonly targetUid: string;
  /** Name of the cluster that has it; not there where it was not known, and it may be on any. */
  readonly cluster?: string;
  /** Objects as `Kind/namespace/name`, as far as they were known. */
  readonly objects: readonly string[];
  readonly operation: string;
  readonly createTime: Instant;
}
