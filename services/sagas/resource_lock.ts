import { type Environment, isMpcError, type Operation, type Workload } from "@mpc/domain";
import type { Collection, Store, Stored } from "@mpc/storage";
import { environmentEvent, type EventFacts, workloadEvent } from "../resources/resource_events.ts";
import { updateDocument } from "../resources/update_document.ts";
import { DEFINITIONS } from "./definitions.ts";

/** The resource that an operation is about; undefined where there is no record of it. */
export function resourceOf(
  store: Store,
  operation: Pick<Operation, "kind" | "target">,
  signal?: AbortSignal,
): Promise<Stored<Environment> | Stored<Workload> | undefined> {
  const options = signal ? { signal } : {};
  return DEFINITIONS[operation.kind].resource === "environment"
    ? store.environments.get(operation.target, options)
    : store.workloads.get(operation.target, options);
}

/** Whether an operation holds its resource: only then may it run. */
export async function holdsResource(store: Store, operation: Operation): Promise<boolean> {
  const resource = await resourceOf(store, operation);
  return resource?.value.currentOperation === operation.name;
}

/** Takes a deletion that waits for a resource out of the queue. */
export async function dropWaiting(store: Store, operation: Operation, now: number): Promise<void> {
  const facts = {
    reason: "DeletionDropped",
    message: "The deletion that waited for it was cancelled",
    operation: operation.name,
    actor: operation.actor,
    time: now,
  };
  try {
    if (DEFINITIONS[operation.kind].resource === "environment") {
      await drop(store.environments, operation, facts, environmentEvent);
    } else {
      await drop(store.workloads, operation, facts, workloadEvent);
    }
  } catch (error) {
    // Where the resource is gone there is nothing left to be taken out of.
    if (!isMpcError(error, "NOT_FOUND")) throw error;
  }
}

async function drop<R extends Environment | Workload>(
  collection: Collection<R>,
  operation: Operation,
  facts: EventFacts,
  eventOf: Parameters<typeof updateDocument<R, EventFacts>>[4],
): Promise<void> {
  await updateDocument(
    collection,
    operation.target,
    undefined,
    (resource) =>
      resource.nextOperation === operation.name
        ? { value: { ...resource, nextOperation: null }, event: facts }
        : undefined,
    eventOf,
  );
}
