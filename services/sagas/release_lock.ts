import {
  type ErrorRecord,
  type EventReason,
  isMpcError,
  isTerminal,
  type Operation,
  stateReason,
} from "@mpc/domain";
import type { Store, Stored } from "@mpc/storage";
import { systemPrincipal } from "../caller.ts";
import type { LockedResource } from "./definition.ts";
import { resourceDefinition } from "./definitions.ts";
import type { Outcome } from "./orchestrate.ts";
import { adapterOf, adapterOfResource, type ResourceAdapter } from "./resource_adapter.ts";

/** The reason of the event after which an operation may start. */
export const OPERATION_ADMITTED = "OperationAdmitted" as const;

interface Release {
  readonly store: Store;
  readonly adapter: ResourceAdapter;
  /** Name of the resource. */
  readonly target: string;
  /** Name of the operation that holds the lock. */
  readonly holder: string;
  /** The resource after the operation, still with the lock; null removes its record. */
  readonly settle: (current: LockedResource) => LockedResource | null;
  readonly actor: string;
  /** Why the lock is released, for people. */
  readonly message: string;
  /** The reason of the event; the resource's new state by default. */
  readonly reason?: EventReason;
  /** The resource's last operation; the holder by default. */
  readonly lastOperation?: string | null;
  readonly now: number;
}

/**
 * Gives an operation's resource its final state and releases its lock. Does nothing if the
 * operation is about no resource, or does not, or no longer, hold the lock.
 */
export async function releaseResource(
  store: Store,
  operation: Operation,
  outcome: Pick<Outcome, "state" | "error">,
  now: number,
): Promise<void> {
  const definition = resourceDefinition(operation.kind);
  const adapter = adapterOf(operation);
  if (!definition || !adapter) return;
  const { target, name: holder, actor, input } = operation;
  const why = outcome.error?.message ?? (outcome.state === "CANCELLED" ? "Cancelled" : "");
  const outputs = Object.fromEntries(operation.steps.map(({ name, output }) => [name, output]));
  const stamp = { operation, now, message: why, outputs };
  await releaseLock({
    store,
    adapter,
    target,
    holder,
    actor,
    message: `${operation.kind} ended ${outcome.state}`,
    now,
    settle: (current) => definition.settle(current, input, outcome.state, stamp),
  });
}

/**
 * Releases a resource whose operation is gone, or cannot settle it: the resource is marked as
 * failed. If the operation was to create the resource and never began, the record is removed.
 * @param holder the operation's record; undefined if there is none
 */
export async function releaseAbandoned(
  store: Store,
  resource: LockedResource,
  holder: Operation | undefined,
  error: ErrorRecord,
  now: number,
): Promise<void> {
  const { name: target, uid: targetUid, currentOperation } = resource;
  if (currentOperation === null) return;
  const { message } = error;
  const adapter = adapterOfResource(resource);
  const stamp = { operation: { name: currentOperation, target, targetUid }, now, message };
  await releaseLock({
    store,
    adapter,
    target,
    holder: currentOperation,
    actor: systemPrincipal("janitor"),
    message,
    reason: "Released",
    now,
    settle: (current) =>
      holder === undefined && isUnbegun(current) ? null : adapter.fail(current, stamp),
  });
}

/**
 * Withdraws the lock of an operation whose admission failed after all, and restores the resource as
 * it was before.
 * @param before the resource before the lock; null if the admission created its record
 */
export async function withdrawLock(
  store: Store,
  operation: Operation,
  before: LockedResource | null,
  now: number,
): Promise<void> {
  const adapter = adapterOf(operation);
  if (!adapter) return;
  await releaseLock({
    store,
    adapter,
    target: operation.target,
    holder: operation.name,
    actor: operation.actor,
    message: `${operation.kind} was not admitted`,
    reason: "AdmissionWithdrawn",
    lastOperation: before?.lastOperation ?? null,
    now,
    settle: () => before && { ...before, updateTime: now },
  });
}

/** Whether a resource has never been more than the record written at its first admission. */
function isUnbegun({ generation, state, lastOperation }: LockedResource): boolean {
  return generation === 1 && lastOperation === null &&
    (state === "CREATING" || state === "DEPLOYING");
}

/**
 * Settles a resource and releases its lock, in one write. A deletion that waits for the resource
 * takes the lock over in the same write, so that nothing comes in between. Does nothing if the
 * holder does not, or no longer, hold the lock.
 */
async function releaseLock(release: Release): Promise<void> {
  const { store, adapter, target, holder } = release;
  for (;;) {
    const current = await adapter.collection(store).get(target);
    if (current?.value.currentOperation !== holder) return;
    try {
      return await releaseLockOnce(release, current);
    } catch (error) {
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

async function releaseLockOnce(release: Release, current: Stored<LockedResource>): Promise<void> {
  const { store, adapter, target, holder, settle, actor, message, reason, now } = release;
  const collection = adapter.collection(store);
  const settled = settle(current.value);
  const next = await waitingDeletion(store, current.value);
  if (next) {
    const value = takeOver(settled ?? current.value, next, now);
    const events = [adapter.eventOf({ value, version: current.version + 1 }, {
      reason: OPERATION_ADMITTED,
      message: `${message}; ${next.kind} takes over`,
      operation: next.name,
      actor: next.actor,
      time: now,
    })];
    await collection.replace(value, current.version, { events });
    return;
  }
  const facts = { message, operation: holder, actor, time: now };
  if (settled === null) {
    const events = [adapter.eventOf(current, { ...facts, reason: "Gone", type: "DELETED" })];
    await collection.delete(target, current.version, { events });
    return;
  }
  const { lastOperation = holder } = release;
  const value = { ...settled, currentOperation: null, nextOperation: null, lastOperation };
  const events = [adapter.eventOf({ value, version: current.version + 1 }, {
    ...facts,
    reason: reason ?? stateReason(settled.state),
  })];
  await collection.replace(value, current.version, { events });
}

/** The deletion that waits for the resource, unless it has been cancelled in the meantime. */
async function waitingDeletion(
  store: Store,
  resource: LockedResource,
): Promise<Operation | undefined> {
  if (resource.nextOperation === null) return undefined;
  const next = await store.operations.get(resource.nextOperation);
  if (!next || isTerminal(next.value.state) || next.value.cancellation) return undefined;
  return next.value;
}

function takeOver(resource: LockedResource, next: Operation, now: number): LockedResource {
  const stamp = { operation: next, now, message: "" };
  return {
    ...resourceDefinition(next.kind)?.begin(resource, next.input, stamp) ?? resource,
    currentOperation: next.name,
    nextOperation: null,
  };
}
