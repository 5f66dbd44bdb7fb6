import { type ErrorRecord, idOf, isTerminal, type Operation, type Residue } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { DEFINITIONS, endAttempt, type Outcome, stepOf } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { endOperation } from "./end_operation.ts";
import { OperationJournal } from "./operation_journal.ts";

/**
 * Ends an operation that its engine will not end any more, and lets go of its resource. Nobody has
 * undone what its steps did: where that may have left something, it NEEDS_ATTENTION.
 * @param error why the engine is through with it
 */
export async function closeOperation(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  name: string,
  error: ErrorRecord,
): Promise<void> {
  const stored = await store.operations.get(name);
  if (!stored || isTerminal(stored.value.state)) return;
  const definition = DEFINITIONS[stored.value.kind];
  const journal = new OperationJournal(store, stored);
  for (const step of stored.value.steps) {
    if (!step.attempts.some(({ endTime }) => endTime === null)) continue;
    journal.defer({
      edit: (operation) =>
        endAttempt(operation, step.name, { now: clock.now(), error, nextRetryTime: null }),
      reason: "StepCutOff",
      message: `Step '${step.name}' was cut off: ${error.message}`,
    });
  }
  // One command for all of it: a retry goes through with the operation, or undoes what is left.
  const retell = ({ object }: Residue): Residue => ({
    object,
    reason: "its engine ended the operation, and nobody has undone this",
    remedy: `mpctl op retry ${idOf(name)}`,
  });
  await endOperation({ store, clock, definition, retell }, journal, outcomeOf(stored.value, error));
}

function outcomeOf(operation: Operation, error: ErrorRecord): Outcome {
  const stuck = DEFINITIONS[operation.kind].steps.filter(({ name, undo, residue }) => {
    const { state } = stepOf(operation, name);
    return undo && residue && state !== "PENDING" && state !== "UNDONE";
  }).map(({ name }) => name);
  return { state: stuck.length > 0 ? "NEEDS_ATTENTION" : "FAILED", error, stuck };
}
