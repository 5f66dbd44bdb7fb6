import type { Instant } from "./time.ts";

/**
 * The objects that an abandoned resource may have left on the cluster, until a sweep removes them.
 */
export interface Orphan {
  /** `orphans/{uid of the abandoned resource}` */
  readonly name: string;
  /** Name of the resource that was abandoned. */
  readonly target: string;
  readonly targetUid: string;
  /**
   * Name of the cluster with the objects. Absent if it was not known: they may be on any cluster.
   */
  readonly cluster?: string;
  /** Objects as `Kind/namespace/name`, as far as they are known. */
  readonly objects: readonly string[];
  readonly operation: string;
  readonly createTime: Instant;
}
