import { MpcError, type OperationState } from "@mpc/domain";
import type { Store } from "@mpc/storage";

/**
 * Refuses to start while there are unfinished operations that no configured engine can run.
 * @throws {MpcError} FAILED_PRECONDITION `NO_ENGINE`
 */
export async function assertEngines(store: Store, engines: readonly string[]): Promise<void> {
  const live: readonly OperationState[] = ["PENDING", "RUNNING", "CANCELLING"];
  const page = await store.operations.list({
    filter: {
      op: "and",
      terms: [
        { op: "or", terms: live.map((value) => ({ op: "=", path: ["state"], value })) },
        ...engines.map((value) => ({ op: "!=" as const, path: ["engine"], value })),
      ],
    },
    limit: 1,
  });
  const [first] = page.items;
  if (!first) return;
  const { name, engine } = first.value;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_ENGINE",
    message: `Cannot start: '${name}' is unfinished and runs on engine '${engine}', configured is ${
      engines.join(", ")
    }; start with that engine, or cancel the operation there first`,
    metadata: { operation: name, engine },
  });
}
