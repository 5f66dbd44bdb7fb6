import {
  type ErrorRecord,
  idOf,
  isTerminal,
  type Operation,
  type Residue,
  type StepState,
} from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { DEFINITIONS, endAttempt, type Outcome, settleStep, stepOf } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { endOperation } from "./end_operation.ts";
import { OperationJournal } from "./operation_journal.ts";

/** The states of steps that have begun and not ended, after the operation has ended. */
const CUT_OFF: Partial<Record<StepState, StepState>> = {
  RUNNING: "FAILED",
  UNDOING: "UNDO_FAILED",
};

/**
 * Ends an operation that its engine no longer runs, and releases its resource. Nothing has undone
 * its steps: if they may have left something on the cluster, the operation becomes NEEDS_ATTENTION.
 * @param error why the engine no longer runs it
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
    const state = CUT_OFF[step.state];
    if (!state) continue;
    journal.defer({
      edit: (operation) => {
        const now = clock.now();
        const ended = endAttempt(operation, step.name, { now, error, nextRetryTime: null });
        return settleStep(ended, step.name, now, { state });
      },
      reason: "StepCutOff",
      message: `Step '${step.name}' was cut off: ${error.message}`,
    });
  }
  // One command for every object: a retry completes the operation, or undoes what is left.
  const retell = ({ object }: Residue): Residue => ({
    object,
    reason: "its engine ended the operation without undoing this",
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
