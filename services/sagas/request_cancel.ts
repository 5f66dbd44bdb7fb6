import {
  assertMove,
  type Cancellation,
  isTerminal,
  type Operation,
  OPERATION_MOVES,
} from "@mpc/domain";
import type { Store, Stored } from "@mpc/storage";
import { operationEvent } from "../resources/resource_events.ts";
import { updateDocument } from "../resources/update_document.ts";

/** The reason of the event that tells engines about a cancellation. */
export const CANCEL_REQUESTED = "CancelRequested" as const;

/**
 * Marks an operation as cancelled; the dispatcher passes the mark to the engine. Does nothing if
 * the operation has ended or is already marked.
 * @throws {MpcError} NOT_FOUND `NO_SUCH_DOCUMENT`
 */
export function requestCancel(
  store: Store,
  name: string,
  cancellation: Cancellation,
  signal: AbortSignal,
): Promise<Stored<Operation>> {
  return updateDocument(store.operations, name, signal, (operation) => {
    if (isTerminal(operation.state) || operation.cancellation !== null) return undefined;
    assertMove(OPERATION_MOVES, name, operation.state, "CANCELLING");
    return {
      value: {
        ...operation,
        state: "CANCELLING",
        cancellation,
        updateTime: cancellation.time,
      },
      event: {
        reason: CANCEL_REQUESTED,
        message: `Cancellation requested by ${cancellation.actor}: ${cancellation.reason}`,
        actor: cancellation.actor,
        time: cancellation.time,
      },
    };
  }, operationEvent);
}
