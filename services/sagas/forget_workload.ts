import type { Workload } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import { workloadEvent } from "../resources/resource_events.ts";
import type { StepContext } from "./step.ts";

/** Deletes the record of a workload whose lock an operation on its environment holds. */
export async function forgetWorkload(
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
