import type { Environment, JsonObject, Operation, OperationKind, Workload } from "@mpc/domain";
import type { Ending, OrchestratedStep } from "./orchestrate.ts";
import type { Step } from "./step.ts";

/** The operation and the time of a change to a resource. */
export interface Stamp {
  readonly operation: Pick<Operation, "name" | "targetUid" | "target">;
  readonly now: number;
  /** Why the operation failed, for conditions; empty if it did not fail. */
  readonly message: string;
}

/** The end of an operation, as its resource's settlement sees it. */
export interface Settlement extends Stamp {
  /** The outputs of its steps, by step name; null for a step without one. */
  readonly outputs: Readonly<Record<string, JsonObject | null>>;
}

interface DefinitionOf<Input, Resource> {
  readonly kind: OperationKind;
  readonly steps: readonly Step<Input>[];
  /**
   * The resource as admission writes it, still without the lock.
   * @throws {MpcError} INTERNAL `ILLEGAL_MOVE` if the state does not allow the operation
   */
  begin(current: Resource | null, input: Input, stamp: Stamp): Resource;
  /** The resource after the operation, still with the lock; null removes its record. */
  settle(current: Resource, input: Input, ending: Ending, stamp: Settlement): Resource | null;
  /** The effect of a cancellation on the resource's record, for people. */
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

/** An operation kind that is about no resource: it holds no lock, and ends without a settlement. */
export type PlatformDefinition<Input = JsonObject> =
  & { readonly resource: null }
  & Pick<DefinitionOf<Input, never>, "kind" | "steps" | "cancelled">;

/** A resource that operations lock and change. */
export type LockedResource = Environment | Workload;

/** An operation kind with a resource; its methods must only be called with that kind of resource. */
export type ResourceDefinition =
  & { readonly resource: "environment" | "workload" }
  & DefinitionOf<JsonObject, LockedResource>;

/** Any operation kind. */
export type Definition = ResourceDefinition | PlatformDefinition;

/** The default time limit of an operation of this kind: the sum of its budgets. */
export function defaultTimeoutMs(definition: Definition): number {
  return definition.steps.reduce((sum, step) => sum + step.retry.budgetMs, 0);
}

/** What the orchestrator needs to know about the steps of this kind. */
export function orchestratedSteps({ steps }: Definition): readonly OrchestratedStep[] {
  return steps.map(({ name, onCancel, undo }) => ({
    name,
    onCancel,
    undoable: undo !== undefined,
  }));
}
