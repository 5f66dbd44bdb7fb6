/**
 * When an operation counts as admitted.
 *
 * Admission is two writes: the operation's record, then the lock on its resource. The second write
 * may be delayed by any time, because machines pause, clocks step and stores are slow. In the
 * meantime the janitor, or a repetition of the request, may consider the admission interrupted and
 * drop the record. So that an acknowledged operation is never dropped, each side writes before it
 * reads what the other has written (as in Dekker's mutual exclusion), and no clock decides:
 *
 * - To drop an operation, first revoke its admission on its record ({@linkcode dropUnadmitted}),
 *   then read its lock, and delete the record only as it was revoked, by compare-and-swap.
 * - To acknowledge an operation, first read its lock, then its record ({@linkcode
 *   confirmAdmission}). A revocation is reset by compare-and-swap; if the record is gone, nothing
 *   was admitted, and the lock is withdrawn.
 */
import { isMpcError, type Operation } from "@mpc/domain";
import type { Store, Stored } from "@mpc/storage";
import type { Clock } from "../ports/mod.ts";
import { isQueuedOrHolds } from "../sagas/resource_lock.ts";

/**
 * How old an operation without a lock must be before its admission counts as interrupted. A shorter
 * time costs repeated work, never an acknowledged operation.
 *
 * Its age is the time since its creation by the wall clock, or since this process first saw it by the
 * monotonic clock, whichever is longer. The machine that created it may have a clock that is ahead of
 * ours, or ours was set back: then the first alone would take as long as the clocks differ. Where ours
 * is ahead, the admission may count as cut off early.
 */
export const ADMISSION_GRACE_MS = 10_000;

/** Whether the operation has begun, has its resource's lock, or is queued for it. */
export async function isAdmitted(
  { store }: { readonly store: Store },
  operation: Operation,
  signal?: AbortSignal,
): Promise<boolean> {
  if (operation.state !== "PENDING" || operation.startTime !== null) return true;
  return await isQueuedOrHolds(store, operation, signal);
}

/**
 * Secures the record of an operation whose lock was seen.
 * @returns the record, which cannot be dropped any more; undefined if it was dropped before
 */
export async function confirmAdmission(
  { store }: { readonly store: Store },
  name: string,
): Promise<Stored<Operation> | undefined> {
  for (;;) {
    const stored = await store.operations.get(name);
    if (!stored?.value.admissionRevoked) return stored;
    try {
      const value = { ...stored.value, admissionRevoked: false };
      return await store.operations.replace(value, stored.version);
    } catch (error) {
      // The janitor or the engine has changed it first: read the record again.
      if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
    }
  }
}

/**
 * Drops an operation that a crash left without its lock, unless the lock is there after all.
 * @throws {MpcError} ABORTED `VERSION_CONFLICT` or NOT_FOUND `NO_SUCH_DOCUMENT` if another process
 *   has changed or dropped it in the meantime
 */
export async function dropUnadmitted(
  deps: { readonly store: Store; readonly clock: Clock },
  stored: Stored<Operation>,
): Promise<void> {
  const { store } = deps;
  const revoked = stored.value.admissionRevoked
    ? stored
    : await store.operations.replace({ ...stored.value, admissionRevoked: true }, stored.version);
  if (await isQueuedOrHolds(store, revoked.value)) {
    await confirmAdmission(deps, revoked.value.name);
    return;
  }
  await deleteUnadmitted(deps, revoked);
}

/**
 * Deletes the record of an operation that certainly has no lock.
 * @throws {MpcError} like {@linkcode dropUnadmitted}
 */
export async function deleteUnadmitted(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  { value: { name, actor, target }, version }: Stored<Operation>,
): Promise<void> {
  await store.operations.delete(name, version, {
    events: [{
      time: clock.now(),
      type: "DELETED",
      reason: "OperationDropped",
      message: `It was never admitted to '${target}'`,
      target: name,
      operation: name,
      actor,
      resource: null,
    }],
  });
}
