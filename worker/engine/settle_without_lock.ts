import { MpcError, recordError } from "@mpc/domain";
import {
  dropWaiting,
  journaledRun,
  journaledUndo,
  orchestrate,
  orchestratedSteps,
  type Outcome,
  stepOf,
} from "@mpc/services/sagas";
import { type EndTools, finishOperation } from "./end_operation.ts";
import type { OperationJournal } from "./operation_journal.ts";

/**
 * Settles an operation that does not hold its resource's lock: either it has not acquired the lock
 * yet, or its process was killed after releasing the lock and before writing the operation's end.
 */
export async function settleWithoutLock(tools: EndTools, journal: OperationJournal): Promise<void> {
  const { operation } = journal;
  if (operation.startTime === null) {
    if (!operation.cancellation) return;
    await dropWaiting(tools.store, operation, tools.clock.now());
    return await finishOperation(tools, journal, { state: "CANCELLED", error: null, stuck: [] });
  }
  await finishOperation(tools, journal, await journaledOutcome(tools, journal));
}

async function journaledOutcome(
  { definition }: EndTools,
  { operation }: OperationJournal,
): Promise<Outcome> {
  const lost = () => {
    throw new MpcError("INTERNAL", {
      reason: "LOST_RESOURCE",
      message: `Cannot continue '${operation.name}': it does not hold '${operation.target}'`,
    });
  };
  try {
    return await orchestrate(orchestratedSteps(definition), {
      runStep({ name }) {
        const record = stepOf(operation, name);
        if (operation.cancellation && record.state === "PENDING") {
          return Promise.resolve({ status: "skipped" });
        }
        return Promise.resolve(journaledRun(record) ?? lost());
      },
      undoStep: ({ name }) => Promise.resolve(journaledUndo(stepOf(operation, name)) ?? lost()),
    });
  } catch (error) {
    return { state: "FAILED", error: recordError(error), stuck: [] };
  }
}
