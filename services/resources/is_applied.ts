import type { Environment, Workload } from "@mpc/domain";

/** States of intact resources that no operation is changing. */
export const SETTLED: ReadonlySet<string> = new Set(["READY", "DEGRADED", "UPDATE_FAILED"]);

/** Whether the objects of a resource should be on its cluster, as they were last applied. */
export function isApplied(resource: Environment | Workload): boolean {
  if (resource.currentOperation !== null) return false;
  return "spec" in resource
    ? resource.activeRevision > 0 && resource.state !== "DELETE_FAILED"
    : SETTLED.has(resource.state);
}
