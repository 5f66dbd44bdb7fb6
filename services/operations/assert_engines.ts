import { type Filter, isTerminal, MpcError, type OperationState } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Clock } from "../ports/mod.ts";
import { pagesOf } from "../resources/read_all.ts";
import { operationEvent } from "../resources/resource_events.ts";
import { updateDocument } from "../resources/update_document.ts";

const LIVE: readonly OperationState[] = ["PENDING", "RUNNING", "CANCELLING"];

/** Unfinished operations that another engine runs. */
const ofOtherEngines = (engine: string): Filter => ({
  op: "and",
  terms: [
    { op: "or", terms: LIVE.map((value) => ({ op: "=", path: ["state"], value })) },
    { op: "!=", path: ["engine"], value: engine },
  ],
});

/**
 * Refuses to start while there are unfinished operations of an engine that this process does not
 * have.
 * @throws {MpcError} FAILED_PRECONDITION `NO_ENGINE`
 */
export async function assertEngine(store: Store, engine: string): Promise<void> {
  const filter = ofOtherEngines(engine);
  const page = await store.operations.list({ filter, limit: 1 });
  const [first] = page.items;
  if (!first) return;
  const { name, engine: other } = first.value;
  const more = await store.operations.count({ filter }) - 1;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_ENGINE",
    message: `Cannot start: '${name}'${more > 0 ? ` (and ${more} more)` : ""} is unfinished and ` +
      `runs on engine '${other}', configured is ${engine}; start with that engine, or add ` +
      "--take-over to continue it on this one",
    metadata: { operation: name, engine: other },
  });
}

/**
 * Gives unfinished operations of other engines to this one, which continues them from their records.
 * The caller makes sure that no process runs another engine on the store.
 * @returns how many there were
 */
export async function takeOverOperations(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  engine: string,
): Promise<number> {
  let count = 0;
  for await (
    const page of pagesOf(store.operations, { filter: ofOtherEngines(engine), limit: 100 })
  ) {
    for (const { value: { name, engine: other } } of page) {
      await updateDocument(store.operations, name, undefined, (operation) => {
        if (isTerminal(operation.state) || operation.engine === engine) return undefined;
        const message = `Engine '${engine}' continues what engine '${other}' began`;
        return {
          value: { ...operation, engine, waitingReason: "" },
          event: { reason: "OperationTakenOver" as const, message, time: clock.now() },
        };
      }, operationEvent);
      count++;
    }
  }
  return count;
}
