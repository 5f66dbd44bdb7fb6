import { isMpcError, type Operation } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { updateDocument } from "../resources/update_document.ts";
import { adapterOf, resourceOf } from "./resource_adapter.ts";

/**
 * Whether an operation holds its resource's lock. Only then may it run; one that is about no resource
 * always may.
 */
export async function holdsResource(store: Store, operation: Operation): Promise<boolean> {
  if (!adapterOf(operation)) return true;
  const resource = await resourceOf(store, operation);
  return resource?.value.currentOperation === operation.name;
}

/** Whether an operation holds its resource's lock, is the next to hold it, or needs none. */
export async function isQueuedOrHolds(
  store: Store,
  operation: Operation,
  signal?: AbortSignal,
): Promise<boolean> {
  if (!adapterOf(operation)) return true;
  const resource = await resourceOf(store, operation, signal);
  return resource?.value.currentOperation === operation.name ||
    resource?.value.nextOperation === operation.name;
}

/** Removes a deletion that waits for a resource from the queue. */
export async function dropWaiting(store: Store, operation: Operation, now: number): Promise<void> {
  const adapter = adapterOf(operation);
  if (!adapter) return;
  const facts = {
    reason: "DeletionDropped" as const,
    message: "The deletion that waited for it was cancelled",
    operation: operation.name,
    actor: operation.actor,
    time: now,
  };
  try {
    await updateDocument(
      adapter.collection(store),
      operation.target,
      undefined,
      (resource) =>
        resource.nextOperation === operation.name
          ? { value: { ...resource, nextOperation: null }, event: facts }
          : undefined,
      (stored, facts) => adapter.eventOf(stored, facts),
    );
  } catch (error) {
    // The resource is gone, and its queue with it.
    if (!isMpcError(error, "NOT_FOUND")) throw error;
  }
}
