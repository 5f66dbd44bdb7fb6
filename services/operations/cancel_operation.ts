import { idOf, isTerminal, MpcError, type Operation } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { authorizeChange } from "./authorize_change.ts";
import { getOperation } from "./read_operations.ts";
import { DEFINITIONS, requestCancel, resourceOf } from "../sagas/mod.ts";

/** The effect of a cancellation, real or planned. */
export interface CancelResult {
  readonly operation: Stored<Operation>;
  /** Steps that are undone, in the order of undoing. */
  readonly undoneSteps: readonly string[];
  /** Steps that stay done. */
  readonly keptSteps: readonly string[];
  /** What happens to the resource's record, for people. */
  readonly outcome: string;
}

/**
 * Cancels an operation: it stops and undoes its steps. The steps that have begun by then are undone
 * or kept, as each step declares.
 * @throws {MpcError} NOT_FOUND `OPERATION_NOT_FOUND`, FAILED_PRECONDITION `OPERATION_ENDED`
 */
export async function cancelOperation(
  deps: ServiceDeps,
  caller: Caller,
  request: { readonly name: string; readonly reason: string; readonly validateOnly: boolean },
): Promise<CancelResult> {
  const { name, reason, validateOnly } = request;
  const stored = await getOperation(deps, caller, name);
  const { value } = stored;
  await authorizeChange(deps, caller, "operations.cancel", value);
  if (isTerminal(value.state)) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "OPERATION_ENDED",
      message: `Cannot cancel operation '${idOf(name)}': it has ended and is ${value.state}`,
      metadata: { operation: name, state: value.state },
    });
  }
  const resource = await resourceOf(deps.store, value, caller.signal);
  const waits = resource?.value.nextOperation === name;
  const operation = validateOnly ? stored : await requestCancel(deps.store, name, {
    actor: caller.principal,
    reason: reason || "requested by its user",
    time: deps.clock.now(),
  }, caller.signal);
  const promised = contract(operation.value);
  return waits
    ? { operation, ...promised, outcome: neverBegan(value) }
    : { operation, ...promised };
}

/** The effect of cancelling a queued deletion: the operation that it stopped does not continue. */
const neverBegan = ({ kind, target }: Operation): string =>
  `the deletion of ${DEFINITIONS[kind].resource} '${
    idOf(target)
  }' is dropped; what it stopped stays cancelled`;

function contract(operation: Operation): Omit<CancelResult, "operation"> {
  const definition = DEFINITIONS[operation.kind];
  const begun = definition.steps.filter((step) =>
    operation.steps.some((record) => record.name === step.name && record.state !== "PENDING")
  );
  const undone = begun.filter((step) => step.undo && step.onCancel === "undo");
  return {
    undoneSteps: undone.map((step) => step.name).reverse(),
    keptSteps: begun.filter((step) => !undone.includes(step)).map((step) => step.name),
    outcome: definition.cancelled(operation.input),
  };
}
