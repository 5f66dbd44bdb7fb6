import type { JsonObject, OperationKind, PlannedChange } from "@mpc/domain";

/** Computes what an operation would change on the cluster, with the code that changes it. */
export interface Planner {
  /**
   * The changes of all steps, in order.
   * @throws what the steps would throw, for instance `RESOURCE_EXHAUSTED`
   */
  changes(
    kind: OperationKind,
    target: string,
    input: JsonObject,
    signal: AbortSignal,
  ): Promise<readonly PlannedChange[]>;
}
