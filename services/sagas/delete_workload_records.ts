import { isMpcError, type Workload } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import { workloadEvent } from "../resources/resource_events.ts";
import type { StepContext } from "./step.ts";

/** Deletes the revisions of a deleted workload. */
export async function deleteRevisions(context: StepContext, workload: string): Promise<void> {
  const { store, signal } = context;
  const prefix = `${workload}/revisions/`;
  for (;;) {
    const page = await store.revisions.list({ prefix, limit: 100, signal });
    await Promise.all(
      page.items.map(({ value, version }) =>
        store.revisions.delete(value.name, version, { signal }).catch((error) => {
          if (!isMpcError(error, "NOT_FOUND")) throw error;
        })
      ),
    );
    if (page.next === null) return;
  }
}

/** Deletes the record of a workload that an operation on its environment has locked. */
export async function deleteWorkloadRecord(
  context: StepContext,
  stored: Stored<Workload>,
  message: string,
): Promise<void> {
  const { store, signal, operation, actor, now } = context;
  await store.workloads.delete(stored.value.name, stored.version, {
    signal,
    events: [workloadEvent(stored, {
      type: "DELETED",
      reason: "Gone",
      message,
      operation,
      actor,
      time: now(),
    })],
  });
}
