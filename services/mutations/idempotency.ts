import {
  abortedByCaller,
  invalidArgument,
  isMpcError,
  MpcError,
  type Operation,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { sleepUnlessAborted } from "../sleep_unless_aborted.ts";
import { ADMISSION_GRACE_MS, confirmAdmission, dropUnadmitted, isAdmitted } from "./admission.ts";

/** A UUID as RFC 9562 writes it; any version, because only its uniqueness matters here. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What libraries return for "no id": many callers would share it. */
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/**
 * The request id in the spelling that is stored: UUIDs are compared by value, so in lower case
 * (AIP-155; `google.api.FieldInfo`, format `UUID4`).
 * @returns the empty string for none
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function canonicalRequestId(action: string, requestId: string): string {
  const id = requestId.toLowerCase();
  if (id === "" || (UUID.test(id) && id !== NIL_UUID)) return id;
  throw invalidArgument(action, [{
    field: "request_id",
    value: requestId.slice(0, 64),
    rule: "UUID",
    hint: "must be a UUID such as f47ac10b-58cc-4372-a567-0e02b2c3d479, and not the nil UUID",
  }]);
}

/**
 * Finds the operation of an earlier request with the same id. Waits while its admission is in
 * progress, so that both calls get the same answer.
 * @returns undefined if the request id is new, or its first use was rejected
 * @throws {MpcError} INVALID_ARGUMENT `REQUEST_ID_REUSED`: the earlier request had a different body
 */
export async function repeatedRequest(
  deps: ServiceDeps,
  caller: Caller,
  requestId: string,
  requestHash: string,
): Promise<Stored<Operation> | undefined> {
  const { store, clock } = deps;
  const { principal, signal } = caller;
  let seen: { readonly name: string; readonly at: number } | undefined;
  for (;;) {
    const head = await store.events.head({ signal });
    const stored = await store.operations.findByRequestId(principal, requestId, { signal });
    if (!stored) return undefined;
    if (stored.value.requestHash !== requestHash) {
      throw new MpcError("INVALID_ARGUMENT", {
        reason: "REQUEST_ID_REUSED",
        message:
          `Cannot use request id '${requestId}': '${stored.value.name}' has used it for another request`,
        metadata: { operation: stored.value.name },
      });
    }
    if (await isAdmitted(deps, stored.value, signal)) {
      const confirmed = await confirmAdmission(deps, stored.value.name);
      if (confirmed) return confirmed;
      continue;
    }
    const { name, createTime } = stored.value;
    if (seen?.name !== name) seen = { name, at: clock.monotonic() };
    const ageMs = Math.max(clock.now() - createTime, clock.monotonic() - seen.at);
    if (ageMs >= ADMISSION_GRACE_MS) {
      await dropStale(deps, stored);
      continue;
    }
    await nextWordOf(deps, stored.value, head, signal);
  }
}

async function dropStale(deps: ServiceDeps, stored: Stored<Operation>): Promise<void> {
  try {
    await dropUnadmitted(deps, stored);
  } catch (error) {
    // Another process has changed or dropped it: the next read tells.
    if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
  }
}

/** Waits for an event of an operation, at most as long as an admission may take. */
async function nextWordOf(
  deps: ServiceDeps,
  operation: Operation,
  after: number,
  signal: AbortSignal,
): Promise<void> {
  const heard = new AbortController();
  const over = AbortSignal.any([signal, heard.signal]);
  const timer = sleepUnlessAborted(deps.clock, ADMISSION_GRACE_MS, over)
    .then((slept) => slept && heard.abort());
  try {
    for await (const event of deps.store.events.tail(after, over)) {
      if (event.operation === operation.name) return;
    }
  } finally {
    heard.abort();
    await timer;
  }
  if (signal.aborted) {
    throw abortedByCaller("wait for the first of the repeated requests", signal.reason);
  }
}
