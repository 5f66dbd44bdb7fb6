import {
  type Environment,
  isMpcError,
  isTerminal,
  type NewEvent,
  type Operation,
  type Workload,
} from "@mpc/domain";
import type { Collection, Store, Stored } from "@mpc/storage";
import { environmentEvent, type EventFacts, workloadEvent } from "../resource_events.ts";
import type { Definition, Ending, Stamp } from "./definition.ts";
import { DEFINITIONS } from "./definitions.ts";
import type { Outcome } from "./orchestrate.ts";

/** The reason of the event with which an operation may start. */
export const OPERATION_ADMITTED = "OperationAdmitted";

/**
 * Gives an operation's resource its final state and lets go of it, in one write. A deletion that
 * waits for the resource takes it over in that same write, so that nothing gets in between.
 * Does nothing where the operation does not hold its resource (any more).
 */
export async function releaseResource(
  store: Store,
  operation: Operation,
  outcome: Pick<Outcome, "state" | "error">,
  now: number,
): Promise<void> {
  const definition = DEFINITIONS[operation.kind];
  const message = outcome.error?.message ?? (outcome.state === "CANCELLED" ? "Cancelled" : "");
  const common = { store, operation, ending: outcome.state, stamp: { operation, now, message } };
  if (definition.resource === "environment") {
    const { settle } = definition;
    await release({ ...common, collection: store.environments, settle, eventOf: environmentEvent });
  } else {
    const { settle } = definition;
    await release({ ...common, collection: store.workloads, settle, eventOf: workloadEvent });
  }
}

interface Release<R extends Environment | Workload> {
  readonly store: Store;
  readonly collection: Collection<R>;
  readonly operation: Operation;
  readonly ending: Ending;
  readonly stamp: Stamp;
  readonly settle: (
    current: R,
    input: Operation["input"],
    ending: Ending,
    stamp: Stamp,
  ) => R | null;
  readonly eventOf: (stored: Stored<R>, facts: EventFacts) => NewEvent;
}

async function release<R extends Environment | Workload>(job: Release<R>): Promise<void> {
  const { collection, operation } = job;
  for (;;) {
    const current = await collection.get(operation.target);
    if (current?.value.currentOperation !== operation.name) return;
    try {
      return await releaseOnce(job, current);
    } catch (error) {
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

async function releaseOnce<R extends Environment | Workload>(
  job: Release<R>,
  current: Stored<R>,
): Promise<void> {
  const { collection, operation, ending, stamp, settle, eventOf } = job;
  const settled = settle(current.value, operation.input, ending, stamp);
  const next = await waitingDeletion(job, current.value);
  if (next) {
    const value = takeOver(settled ?? current.value, next, stamp.now);
    const facts = {
      reason: OPERATION_ADMITTED,
      message: `${operation.kind} ended ${ending}; ${next.kind} takes over`,
      operation: next.name,
      actor: next.actor,
      time: stamp.now,
    };
    const events = [eventOf({ value, version: current.version + 1 }, facts)];
    await collection.replace(value, current.version, { events });
    return;
  }
  const facts = {
    reason: settled?.state ? camel(settled.state) : "Gone",
    message: `${operation.kind} ended ${ending}`,
    operation: operation.name,
    actor: operation.actor,
    time: stamp.now,
  };
  if (settled === null) {
    const events = [eventOf(current, { ...facts, type: "DELETED" })];
    await collection.delete(operation.target, current.version, { events });
    return;
  }
  const value: R = {
    ...settled,
    currentOperation: null,
    nextOperation: null,
    lastOperation: operation.name,
  };
  const events = [eventOf({ value, version: current.version + 1 }, facts)];
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
