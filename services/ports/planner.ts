import type { JsonObject, OperationKind, PlannedChange } from "@mpc/domain";
import type { Difference } from "./provider.ts";

/** Computes changes of the cluster without making them, with the code that makes them. */
export interface Planner {
  /**
   * The changes of all steps of an operation, in order.
   * @throws what the steps would throw, for instance `RESOURCE_EXHAUSTED`
   */
  changes(
    kind: OperationKind,
    target: string,
    input: JsonObject,
    signal: AbortSignal,
  ): Promise<readonly PlannedChange[]>;
  /**
   * The differences of the cluster from what was last applied of an environment or a workload, as the
   * changes that would undo them; none while an operation changes it, and where nothing is applied.
   * @param target name of the environment or the workload
   * @throws as {@linkcode Provider.drift}
   */
  drift(target: string, signal: AbortSignal): Promise<readonly Difference[]>;
}
