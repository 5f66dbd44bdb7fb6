import type { JsonObject, OperationKind, PlannedChange } from "@mpc/domain";

/** Says what an operation would change on the cluster, by the code path that changes it. */
export interface Planner {
  /**
   * The changes of all steps, in their order.
   * @throws what the steps themselves would throw, for instance `RESOURCE_EXHAUSTED`
   */
  changes(
    kind: OperationKind,
    target: string,
    input: JsonObject,
    signal: AbortSignal,
  ): Promise<readonly PlannedChange[]>;
}
