import {
  type Environment,
  idOf,
  type Instant,
  invalidArgument,
  MpcError,
  type Operation,
  type OperationKind,
  type StepRecord,
  type Workload,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import { permissionOf } from "../access/permissions.ts";
import { assertIdle } from "../mutations/admit.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { authorizeChange } from "./authorize_change.ts";
import { getOperation } from "./read_operations.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import {
  DEFINITIONS,
  journaledRun,
  type LockedResource,
  newStepRecord,
  resourceOf,
  stepOf,
} from "../sagas/mod.ts";
import { environmentUpdate, type EnvironmentUpdateInput } from "../sagas/environment_update.ts";
import { notFound } from "../resources/preconditions.ts";

const ACTION = "retry operation";

export interface RetryOperationRequest extends MutationOptions {
  readonly name: string;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
}

/** Kinds that apply objects. */
const APPLYING: ReadonlySet<OperationKind> = new Set([
  "environment.create",
  "environment.update",
  "workload.deploy",
]);

/**
 * Retries a failed operation, from the first step that must run again. The retry of a cancelled
 * operation completes the cancellation: it undoes what is left and runs no step. The new operation
 * names the one it retries.
 * @throws {MpcError} NOT_FOUND `OPERATION_NOT_FOUND`, INVALID_ARGUMENT `INVALID_FIELDS`, FAILED_PRECONDITION `NOT_RETRYABLE`,
 *   `SUPERSEDED` or `EXPIRE_TIME_PASSED`, and what `mutate` throws
 */
export async function retryOperation(
  deps: ServiceDeps,
  caller: Caller,
  request: RetryOperationRequest,
): Promise<MutationResult> {
  const { name, forceConflicts = false } = request;
  const { value: failed } = await getOperation(deps, caller, name);
  await authorizeChange(deps, caller, "operations.retry", failed);
  const method = {
    name: "RetryOperation",
    body: { name, ...(forceConflicts && { forceConflicts }) },
    access: { permission: permissionOf(failed), resource: failed.target },
  };
  return await mutate(deps, caller, request, method, async () => {
    assertRetryable(failed);
    assertRepeatable(failed);
    if (forceConflicts) assertApplies(failed);
    const current = await retriedResource(deps, caller, failed);
    return {
      kind: failed.kind,
      target: failed.target,
      targetUid: failed.targetUid,
      input: forceConflicts ? { ...failed.input, forceConflicts } : failed.input,
      current,
      lock: current ? "take" : "none",
      timeoutMs: null,
      retryOf: name,
      ...(failed.cancellation
        ? {
          steps: leftToUndo(failed),
          cancellation: {
            actor: caller.principal,
            reason: `'${name}', which it retries, was cancelled`,
            time: deps.clock.now(),
          },
        }
        : { steps: carriedOver(failed) }),
    };
  });
}

/** The resource that a failed operation is about, as the retry may take it; null for none. */
async function retriedResource(
  deps: ServiceDeps,
  caller: Caller,
  failed: Operation,
): Promise<Stored<LockedResource> | null> {
  const { resource } = DEFINITIONS[failed.kind];
  if (resource === null) return null;
  const current = await resourceOf(deps.store, failed, caller.signal);
  if (!current) throw notFound(resource, failed.target, `${ACTION} '${idOf(failed.name)}' on`);
  assertIdle(current.value, ACTION);
  const { lastOperation } = current.value;
  if (lastOperation !== failed.name) throw superseded(failed, lastOperation);
  assertTimeLeft(failed, current.value, deps.clock.now());
  return current;
}

/**
 * The leading steps that need not run again. A step with an undo must: it may depend on what the
 * earlier operation held, or may have been undone. So must all steps after it.
 */
function carriedOver(failed: Operation): readonly StepRecord[] {
  const { steps } = DEFINITIONS[failed.kind];
  const first = steps.findIndex(({ name, undo }) =>
    undo || stepOf(failed, name).state !== "SUCCEEDED"
  );
  return steps.map(({ name }, index) =>
    first === -1 || index < first ? stepOf(failed, name) : newStepRecord(name)
  );
}

/**
 * The steps of a cancelled operation, ready for their undo: one whose undo failed has not been
 * undone yet, and one that failed or was cut off was cancelled.
 */
function leftToUndo(cancelled: Operation): readonly StepRecord[] {
  return DEFINITIONS[cancelled.kind].steps.map(({ name }) => {
    const step = stepOf(cancelled, name);
    if (step.state === "PENDING" || step.state === "UNDONE") return step;
    const state = journaledRun(step)?.status === "succeeded" ? "SUCCEEDED" : "CANCELLED";
    return { ...step, state, attempts: step.attempts.filter(({ undo }) => !undo) };
  });
}

/** Rejects a retry that would set an expiry in the past, and so delete the environment at once. */
function assertTimeLeft(
  { name, kind, input }: Operation,
  current: Environment | Workload,
  now: Instant,
): void {
  if (kind !== environmentUpdate.kind || !("expireTime" in current)) return;
  const { expireTime } = (input as EnvironmentUpdateInput).wanted;
  if (expireTime === null || expireTime > now || expireTime === current.expireTime) return;
  const time = new Date(expireTime).toISOString();
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "EXPIRE_TIME_PASSED",
    message: `Cannot ${ACTION} '${idOf(name)}': '${
      idOf(current.name)
    }' would have expired at ${time}; give it time with 'mpctl env update ${
      idOf(current.name)
    } --ttl DURATION'`,
    metadata: { operation: name, expireTime: time },
  });
}

function assertRetryable({ name, state }: Operation): void {
  if (state === "FAILED" || state === "NEEDS_ATTENTION") return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NOT_RETRYABLE",
    message: `Cannot ${ACTION} '${idOf(name)}': it is ${state}, must be FAILED or NEEDS_ATTENTION`,
    metadata: { operation: name, state },
  });
}

/** What people decide by looking at the clusters, and must decide anew by the command. */
const DECIDED_ANEW: Partial<Readonly<Record<OperationKind, (operation: Operation) => string>>> = {
  "platform.claim": ({ input }) => `mpctl doctor --claim ${input["cluster"]}`,
  "platform.sweep": () => "mpctl doctor --sweep",
};

/** The command that requests a failed operation anew, where it must not be retried. */
export const commandAnew = (operation: Operation): string | undefined =>
  DECIDED_ANEW[operation.kind]?.(operation);

/** Rejects a retry of what was right only when it was requested. */
function assertRepeatable(operation: Operation): void {
  const { name, kind } = operation;
  const command = commandAnew(operation);
  if (command === undefined) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NOT_RETRYABLE",
    message: `Cannot ${ACTION} '${
      idOf(name)
    }': the clusters may have changed since it was requested; run '${command}' again`,
    metadata: { operation: name, kind },
  });
}

function assertApplies({ name, kind }: Operation): void {
  if (APPLYING.has(kind)) return;
  throw invalidArgument(`${ACTION} '${idOf(name)}'`, [{
    field: "force_conflicts",
    value: "true",
    rule: "NOT_APPLICABLE",
    hint: `is for operations that apply objects, not for '${kind}'`,
  }]);
}

function superseded({ name, target }: Operation, later: string | null): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "SUPERSEDED",
    message: `Cannot ${ACTION} '${idOf(name)}': '${later}' has changed '${target}' since`,
    metadata: { operation: name, ...(later && { later }) },
  });
}
