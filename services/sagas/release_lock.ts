import {
  type Environment,
  isMpcError,
  isTerminal,
  type NewEvent,
  type Operation,
  type Workload,
} from "@mpc/domain";
import type { Collection, Store, Stored } from "@mpc/storage";
import type { EventFacts } from "../resources/resource_events.ts";
import type { Definition, Stamp } from "./definition.ts";
import { DEFINITIONS } from "./definitions.ts";

/** The reason of the event with which an operation may start. */
export const OPERATION_ADMITTED = "OperationAdmitted";

/** How a resource is let go of. */
export interface Release<R extends Environment | Workload> {
  readonly store: Store;
  readonly collection: Collection<R>;
  /** Name of the resource. */
  readonly target: string;
  /** Name of the operation that holds it. */
  readonly holder: string;
  /** What becomes of the resource, the lock still in it; null removes its record. */
  readonly settle: (current: R) => R | null;
  readonly eventOf: (stored: Stored<R>, facts: EventFacts) => NewEvent;
  readonly actor: string;
  /** Why it is let go of, for people. */
  readonly message: string;
  /** The reason of the event; the resource's new state where it is not given. */
  readonly reason?: string;
  readonly now: number;
}

/**
 * Settles a resource and lets go of it, in one write. A deletion that waits for the resource takes
 * it over in that same write, so that nothing gets in between. Does nothing where the holder does
 * not hold it (any more).
 */
export async function releaseLock<R extends Environment | Workload>(
  release: Release<R>,
): Promise<void> {
  const { collection, target, holder } = release;
  for (;;) {
    const current = await collection.get(target);
    if (current?.value.currentOperation !== holder) return;
    try {
      return await releaseLockOnce(release, current);
    } catch (error) {
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

async function releaseLockOnce<R extends Environment | Workload>(
  release: Release<R>,
  current: Stored<R>,
): Promise<void> {
  const { collection, target, holder, settle, eventOf, actor, message, reason, now } = release;
  const settled = settle(current.value);
  const next = await waitingDeletion(release, current.value);
  if (next) {
    const value = takeOver(settled ?? current.value, next, now);
    const events = [eventOf({ value, version: current.version + 1 }, {
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
    const events = [eventOf(current, { ...facts, reason: "Gone", type: "DELETED" })];
    await collection.delete(target, current.version, { events });
    return;
  }
  const value: R = {
    ...settled,
    currentOperation: null,
    nextOperation: null,
    lastOperation: holder,
  };
  const events = [eventOf({ value, version: current.version + 1 }, {
    ...facts,
    reason: reason ?? camel(settled.state),
  })];
  await collection.replace(value, current.version, { events });
}

/** The deletion that waits for the resource, unless it has been cancelled meanwhile. */
async function waitingDeletion<R extends Environment | Workload>(
  { store }: Release<R>,
  resource: R,
): Promise<Operation | undefined> {
  if (resource.nextOperation === null) return undefined;
  const next = await store.operations.get(resource.nextOperation);
  if (!next || isTerminal(next.value.state) || next.value.cancellation) return undefined;
  return next.value;
}

function takeOver<R extends Environment | Workload>(
  resource: R,
  next: Operation,
  now: number,
): R {
  const definition: Definition = DEFINITIONS[next.kind];
  const stamp = { operation: next, now, message: "" };
  const begin = definition.begin as (current: R, input: Operation["input"], stamp: Stamp) => R;
  return {
    ...begin(resource, next.input, stamp),
    currentOperation: next.name,
    nextOperation: null,
  };
}

function camel(state: string): string {
  return state.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
}
