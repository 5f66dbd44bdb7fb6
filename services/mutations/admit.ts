import {
  type Environment,
  idOf,
  isMpcError,
  MpcError,
  type NewEvent,
  type Operation,
  type Workload,
} from "@mpc/domain";
import type { Collection, Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { dropUnadmitted } from "./idempotency.ts";
import type { Prepared } from "./mutate.ts";
import { DEFINITIONS, OPERATION_ADMITTED, requestCancel, type Stamp } from "../sagas/mod.ts";
import {
  environmentEvent,
  type EventFacts,
  operationEvent,
  workloadEvent,
} from "../resources/resource_events.ts";

/**
 * How an operation gets its resource: `take` it now, or `queue` behind the running operation,
 * which is cancelled (only deletions may).
 */
export type Lock = "take" | "queue";

/**
 * Admits an operation: its record first, then the lock on its resource, each one write. What a
 * crash leaves in between, the janitor drops: nobody was told of it.
 * @throws {MpcError} ABORTED `VERSION_CONFLICT`, ALREADY_EXISTS `NAME_TAKEN` or `REQUEST_ID_TAKEN`:
 *   prepare again
 */
export async function admit(
  deps: ServiceDeps,
  caller: Caller,
  operation: Operation,
  prepared: Prepared,
): Promise<Stored<Operation>> {
  const { store, clock } = deps;
  const { signal } = caller;
  const stored = await store.operations.create(operation, {
    signal,
    events: [operationEvent({ value: operation, version: 1 }, {
      type: "CREATED",
      reason: "OperationRequested",
      message: `${operation.kind} of '${operation.target}'`,
      time: clock.now(),
    })],
  });
  try {
    await lock(deps, operation, prepared);
  } catch (error) {
    // From here on the caller's signal no longer counts: what was begun is taken back. Of a store
    // that cannot be reached nobody knows whether it took the lock: the janitor looks, and so does
    // who repeats the request.
    if (!isMpcError(error, "UNAVAILABLE")) await dropUnadmitted(deps, stored);
    throw error;
  }
  return stored;
}

async function lock(deps: ServiceDeps, operation: Operation, prepared: Prepared): Promise<void> {
  const { store, clock } = deps;
  const facts: EventFacts = {
    reason: prepared.lock === "take" ? OPERATION_ADMITTED : "DeletionQueued",
    message: prepared.lock === "take"
      ? `${operation.kind} may start`
      : `${operation.kind} waits until what runs has stopped`,
    operation: operation.name,
    actor: operation.actor,
    time: clock.now(),
  };
  const holder = prepared.current?.value.currentOperation ?? null;
  const definition = DEFINITIONS[operation.kind];
  if (definition.resource === "environment") {
    const { begin } = definition;
    await place({
      collection: store.environments,
      current: prepared.current as Stored<Environment> | null,
      eventOf: environmentEvent,
      begin,
      operation,
      facts,
      mode: prepared.lock,
    });
  } else {
    const { begin } = definition;
    await place({
      collection: store.workloads,
      current: prepared.current as Stored<Workload> | null,
      eventOf: workloadEvent,
      begin,
      operation,
      facts,
      mode: prepared.lock,
    });
  }
  if (prepared.lock === "queue" && holder !== null) await stop(deps, operation, holder);
}

interface Placement<R extends Environment | Workload> {
  readonly collection: Collection<R>;
  readonly current: Stored<R> | null;
  readonly eventOf: (stored: Stored<R>, facts: EventFacts) => NewEvent;
  readonly begin: (current: R | null, input: Operation["input"], stamp: Stamp) => R;
  readonly operation: Operation;
  readonly facts: EventFacts;
  readonly mode: Lock;
}

async function place<R extends Environment | Workload>(job: Placement<R>): Promise<void> {
  const { collection, current, eventOf, begin, operation, facts, mode } = job;
  if (mode === "queue" && current) {
    const value = { ...current.value, nextOperation: operation.name, updateTime: facts.time };
    const events = [eventOf({ value, version: current.version + 1 }, facts)];
    await collection.replace(value, current.version, { events });
    return;
  }
  const begun = begin(current?.value ?? null, operation.input, {
    operation,
    now: facts.time,
    message: "",
  });
  const value = { ...begun, currentOperation: operation.name, nextOperation: null };
  if (!current) {
    const events = [eventOf({ value, version: 1 }, { ...facts, type: "CREATED" })];
    await collection.create(value, { events });
    return;
  }
  const events = [eventOf({ value, version: current.version + 1 }, facts)];
  await collection.replace(value, current.version, { events });
}

/** Stops what a deletion preempts. */
async function stop(deps: ServiceDeps, operation: Operation, holder: string): Promise<void> {
  const cancellation = {
    actor: operation.actor,
    reason: `preempted by ${operation.name}`,
    time: deps.clock.now(),
  };
  try {
    await requestCancel(deps.store, holder, cancellation, new AbortController().signal);
  } catch (error) {
    // A holder without a record is the janitor's to clean up; the deletion is admitted.
    if (!isMpcError(error, "NOT_FOUND")) throw error;
  }
}

/** @throws {MpcError} ABORTED `OPERATION_IN_PROGRESS`, with the holder's name */
export function assertIdle(resource: Environment | Workload, action: string): void {
  // Who waits for a resource that nobody holds waits for nothing: its turn never comes.
  if (resource.currentOperation === null) return;
  const holder = resource.nextOperation ?? resource.currentOperation;
  throw new MpcError("ABORTED", {
    reason: "OPERATION_IN_PROGRESS",
    message: `Cannot ${action} '${idOf(resource.name)}': '${holder}' is at work on it`,
    metadata: { resource: resource.name, operation: holder },
  });
}
