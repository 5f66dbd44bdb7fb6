import type { Environment, JsonObject, Operation, OperationKind, Workload } from "@mpc/domain";
import type { Ending, OrchestratedStep } from "./orchestrate.ts";
import type { Step } from "./step.ts";

/** The operation and the moment that a resource changes by. */
export interface Stamp {
  readonly operation: Pick<Operation, "name" | "targetUid" | "target">;
  readonly now: number;
  /** Why the operation failed, for conditions; empty where it did not. */
  readonly message: string;
}

/** What an ended operation leaves its resource with. */
export interface Settlement extends Stamp {
  /** What its steps have put out, by their names; null where one did not. */
  readonly outputs: Readonly<Record<string, JsonObject | null>>;
}

interface DefinitionOf<Input, Resource> {
  readonly kind: OperationKind;
  readonly steps: readonly Step<Input>[];
  /**
   * The resource as admission writes it, the lock not yet in it.
   * @throws {MpcError} INTERNAL `ILLEGAL_MOVE` where the state does not allow the operation
   */
  begin(current: Resource | null, input: Input, stamp: Stamp): Resource;
  /** What becomes of the resource, the lock still in it; null removes its record. */
  settle(current: Resource, input: Input, ending: Ending, stamp: Settlement): Resource | null;
  /** What a cancellation would leave of the resource's record, for people. */
  cancelled(input: Input): string;
}

/** An operation kind on environments: its steps, and what it does to the record. */
export type EnvironmentDefinition<Input = JsonObject> =
  & { readonly resource: "environment" }
  & DefinitionOf<Input, Environment>;

/** An operation kind on workloads: its steps, and what it does to the record. */
export type WorkloadDefinition<Input = JsonObject> =
  & { readonly resource: "workload" }
  & DefinitionOf<Input, Workload>;

/** A resource that operations lock and change. */
export type LockedResource = Environment | Workload;

/** Any operation kind; its methods are only called with the kind of resource that it is about. */
export type Definition =
  & { readonly resource: "environment" | "workload" }
  & DefinitionOf<JsonObject, LockedResource>;

/** How long an operation of this kind may take when nobody says otherwise: all its budgets. */
export function defaultTimeoutMs(definition: Definition): number {
  return definition.steps.reduce((sum, step) => sum + step.retry.budgetMs, 0);
}

/** What the orchestrator must know of the steps of this kind. */
export function orchestratedSteps({ steps }: Definition): readonly OrchestratedStep[] {
  return steps.map(({ name, onCancel, undo }) => ({
    name,
    onCancel,
    undoable: undo !== undefined,
  }));
}
