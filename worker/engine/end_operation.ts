import { idOf, recordError, type Residue, stateReason } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { type Definition, finish, type Outcome, releaseResource } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { isFault } from "./is_fault.ts";
import type { OperationJournal } from "./operation_journal.ts";
import { traceOperation } from "./step_span.ts";

/** What is needed to write the end of an operation. */
export interface EndTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly definition: Definition;
  /** Replaces the residue that a stuck step reports, which assumes that its undo failed. */
  readonly retell?: (residue: Residue) => Residue;
}

/** Releases the resource, then ends the operation. Idempotent. */
export async function endOperation(
  tools: EndTools,
  journal: OperationJournal,
  outcome: Outcome,
): Promise<void> {
  await journal.flush();
  try {
    await releaseResource(tools.store, journal.operation, outcome, tools.clock.now());
  } catch (error) {
    // A bug of ours must not block the operation forever; the janitor releases the resource.
    if (!isFault(error)) throw error;
    const failed: Outcome = { ...outcome, state: "FAILED", error: recordError(error) };
    return await finishOperation(tools, journal, failed);
  }
  await finishOperation(tools, journal, outcome);
}

/** Writes the end of an operation that does not hold its resource's lock. */
export async function finishOperation(
  { clock, definition, retell = (residue) => residue }: EndTools,
  journal: OperationJournal,
  outcome: Outcome,
): Promise<void> {
  const { input, kind, name } = journal.operation;
  const residue = outcome.stuck.flatMap((stuck): readonly Residue[] =>
    definition.steps.find((step) => step.name === stuck)?.residue?.(input, idOf(name)) ?? []
  ).map(retell);
  await journal.record({
    edit: (operation) => finish(operation, outcome, residue, clock.now()),
    reason: `Operation${stateReason(outcome.state)}`,
    message: outcome.error?.message ?? `${kind} ended ${outcome.state}`,
  });
  traceOperation(journal.operation);
}
