import {
  type Cancellation,
  idOf,
  type Instant,
  isMpcError,
  type JsonObject,
  MpcError,
  type NewEvent,
  type Operation,
  type OperationKind,
  type PlannedChange,
  type QuotaEffect,
  type StepRecord,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { type EventFacts, operationEvent } from "../resources/resource_events.ts";
import {
  adapterOf,
  dropWaiting,
  type LockedResource,
  OPERATION_ADMITTED,
  requestCancel,
  resourceDefinition,
  withdrawLock,
} from "../sagas/mod.ts";
import { assertLimits } from "./assert_limits.ts";
import { confirmAdmission, deleteUnadmitted } from "./admission.ts";

/**
 * How an operation gets its resource's lock: `take` it now, or `queue` behind the running
 * operation, which is cancelled (only deletions may). One that is about no resource has `none`.
 */
export type Lock = "take" | "queue" | "none";

/** A change that a use case has checked and that may be admitted. */
export interface Prepared {
  readonly kind: OperationKind;
  readonly target: string;
  readonly targetUid: string;
  readonly input: JsonObject;
  /** The resource as it was read; null if there is none. */
  readonly current: Stored<LockedResource> | null;
  readonly lock: Lock;
  /** The operation's time limit; null for the sum of its budgets. */
  readonly timeoutMs: number | null;
  readonly quota?: readonly QuotaEffect[];
  /** Changes of the record that do not concern the cluster. */
  readonly recordChanges?: readonly PlannedChange[];
  /** Steps that a retry need not run again. */
  readonly steps?: readonly StepRecord[];
  /** What to note in the log with the operation, for the audit. */
  readonly notes?: (operation: Operation) => readonly NewEvent[];
  readonly retryOf?: string;
  /** The operation is cancelled from its begin: it only undoes what its steps say is done. */
  readonly cancellation?: Cancellation;
}

/**
 * Admits an operation: writes its record, then the lock on its resource if it is about one, then
 * checks that its record is still there. `admission.ts` explains why that is sufficient.
 * @throws {MpcError} ABORTED `VERSION_CONFLICT` or `ADMISSION_DROPPED`, ALREADY_EXISTS `NAME_TAKEN`
 *   or `REQUEST_ID_TAKEN`: prepare again; RESOURCE_EXHAUSTED `OPERATION_LIMIT` or
 *   `ENVIRONMENT_LIMIT`
 */
export async function admit(
  deps: ServiceDeps,
  caller: Caller,
  operation: Operation,
  prepared: Prepared,
): Promise<Stored<Operation>> {
  const { store, clock } = deps;
  const { signal } = caller;
  const stored = { value: operation, version: 1 };
  const time = clock.now();
  const message = `${operation.kind} of '${operation.target}'`;
  const needsNone = prepared.lock === "none";
  const created = await store.operations.create(operation, {
    signal,
    events: [
      operationEvent(stored, { type: "CREATED", reason: "OperationRequested", message, time }),
      ...prepared.notes?.(operation) ?? [],
      ...needsNone ? [operationEvent(stored, admissionOf(operation, time))] : [],
    ],
  });
  // Without a lock the record is all of the admission.
  if (needsNone) return created;
  // From here on the caller's signal is ignored: the admission is either completed or withdrawn.
  try {
    await assertLimits(deps, caller, operation);
    await lock(deps, operation, prepared);
  } catch (error) {
    // If the store is unreachable, it is unknown whether the lock was written: the janitor will
    // check, and so will a repetition of the request.
    if (!isMpcError(error, "UNAVAILABLE")) await deleteRefused(deps, created);
    throw error;
  }
  const admitted = await confirmAdmission(deps, operation.name);
  if (!admitted) {
    await unlock(deps, operation, prepared);
    throw new MpcError("ABORTED", {
      reason: "ADMISSION_DROPPED",
      message:
        `Cannot admit ${operation.kind} of '${operation.target}': it took too long and was dropped`,
    });
  }
  if (prepared.lock === "queue") await preempt(deps, operation, prepared);
  return admitted;
}

/** Writes the lock, or the position in its queue, into the resource's record. */
async function lock(deps: ServiceDeps, operation: Operation, prepared: Prepared): Promise<void> {
  const { store, clock } = deps;
  const { current } = prepared;
  const adapter = adapterOf(operation);
  const definition = resourceDefinition(operation.kind);
  if (!adapter || !definition) return;
  const collection = adapter.collection(store);
  const queued = prepared.lock === "queue" && current !== null;
  const now = clock.now();
  const facts: EventFacts = queued
    ? {
      ...admissionOf(operation, now),
      reason: "DeletionQueued",
      message: `${operation.kind} waits until the running operation has stopped`,
    }
    : admissionOf(operation, now);
  const value: LockedResource = queued
    ? { ...current.value, nextOperation: operation.name, updateTime: now }
    : {
      ...definition.begin(current?.value ?? null, operation.input, {
        operation,
        now,
        message: "",
      }),
      currentOperation: operation.name,
      nextOperation: null,
    };
  if (!current) {
    const events = [adapter.eventOf({ value, version: 1 }, { ...facts, type: "CREATED" })];
    await collection.create(value, { events });
    return;
  }
  const events = [adapter.eventOf({ value, version: current.version + 1 }, facts)];
  await collection.replace(value, current.version, { events });
}

/** The event after which an engine may start an operation. */
function admissionOf({ kind, name, actor }: Operation, time: Instant): EventFacts {
  const message = `${kind} may start`;
  return { reason: OPERATION_ADMITTED, message, operation: name, actor, time };
}

async function unlock(
  { store, clock }: ServiceDeps,
  operation: Operation,
  { lock, current }: Prepared,
): Promise<void> {
  if (lock === "queue" && current) await dropWaiting(store, operation, clock.now());
  else await withdrawLock(store, operation, current?.value ?? null, clock.now());
}

/** Deletes the record of an operation that did not get its lock. */
async function deleteRefused(deps: ServiceDeps, created: Stored<Operation>): Promise<void> {
  try {
    await deleteUnadmitted(deps, created);
  } catch (error) {
    // The janitor is dropping it right now.
    if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
  }
}

/** Cancels the operation that a deletion preempts. */
async function preempt(
  deps: ServiceDeps,
  operation: Operation,
  { current }: Prepared,
): Promise<void> {
  const holder = current?.value.currentOperation ?? null;
  if (holder === null) return;
  const cancellation = {
    actor: operation.actor,
    reason: `preempted by ${operation.name}`,
    time: deps.clock.now(),
  };
  try {
    await requestCancel(deps.store, holder, cancellation, new AbortController().signal);
  } catch (error) {
    // The janitor repairs a holder without a record; the deletion is admitted.
    if (!isMpcError(error, "NOT_FOUND")) throw error;
  }
}

/** @throws {MpcError} ABORTED `OPERATION_IN_PROGRESS`, with the holder's name */
export function assertIdle(resource: LockedResource, action: string): void {
  // An operation that is queued for a resource without a holder is stale: its turn never comes.
  if (resource.currentOperation === null) return;
  const holder = resource.nextOperation ?? resource.currentOperation;
  throw new MpcError("ABORTED", {
    reason: "OPERATION_IN_PROGRESS",
    message: `Cannot ${action} '${idOf(resource.name)}': '${holder}' is running on it`,
    metadata: { resource: resource.name, operation: holder },
  });
}
