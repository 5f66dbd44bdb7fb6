import {
  type ErrorReason,
  isMpcError,
  MpcError,
  type Operation,
  type OperationKind,
  type Plan,
  separateWords,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import { admit, type Prepared } from "./admit.ts";
import { assertLimits } from "./assert_limits.ts";
import { assertClaimed } from "../clusters/assert_claimed.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { Access } from "../ports/mod.ts";
import { fingerprint } from "./fingerprint.ts";
import { newOperation, operationTimeoutMs } from "./new_operation.ts";
import { canonicalRequestId, repeatedRequest } from "./idempotency.ts";
import { DEFINITIONS } from "../sagas/mod.ts";
import { newStepRecord } from "../sagas/journal.ts";

/** The options of every mutation, besides its own fields. */
export interface MutationOptions {
  /** Makes the call idempotent (AIP-155): a UUID, or empty for none. */
  readonly requestId?: string;
  /** Returns a plan instead of making the change (AIP-163). */
  readonly validateOnly?: boolean;
  /** Rejects the change unless its plan still has this hash; empty for no check. */
  readonly planHash?: string;
}

/** An admitted operation, or the plan of one. */
export type MutationResult =
  | { readonly operation: Stored<Operation>; readonly plan: null }
  | { readonly operation: null; readonly plan: Plan; readonly kind: OperationKind; target: string };

/** A method that changes a resource. */
export interface Method {
  readonly name: string;
  /** Its fields without {@linkcode MutationOptions}. */
  readonly body: unknown;
  /** What the caller must be allowed to do, and to which resource. */
  readonly access: Access;
}

/** How often a change is prepared again because another process has changed the resource. */
const MAX_ROUNDS = 10;

/**
 * The pipeline of all mutations: a repeated request finds its operation, `validate_only` returns a
 * plan, a plan's hash is checked, and the change is admitted.
 * @param prepare checks the request against the current state and returns the change
 * @throws {MpcError} INVALID_ARGUMENT `REQUEST_ID_REUSED`, ABORTED `PLAN_OUTDATED`,
 *   ABORTED `OPERATION_IN_PROGRESS`, RESOURCE_EXHAUSTED `OPERATION_LIMIT` or `ENVIRONMENT_LIMIT`,
 *   and what `prepare` throws
 */
export async function mutate(
  deps: ServiceDeps,
  caller: Caller,
  options: MutationOptions,
  method: Method,
  prepare: () => Promise<Prepared>,
): Promise<MutationResult> {
  const { validateOnly = false, planHash = "" } = options;
  const requestId = canonicalRequestId(separateWords(method.name, " "), options.requestId ?? "");
  await deps.authorizer.authorize(caller, method.access);
  const requestHash = fingerprint([method.name, method.body ?? null]);
  const repeated = async () =>
    requestId === "" || validateOnly
      ? undefined
      : await repeatedRequest(deps, caller, requestId, requestHash);
  for (let round = 1;; round++) {
    const before = await repeated();
    if (before) return { operation: before, plan: null };
    try {
      const prepared = await prepare();
      const timeoutMs = operationTimeoutMs(DEFINITIONS[prepared.kind], prepared.timeoutMs);
      if (validateOnly || planHash !== "") {
        const plan = await planOf(deps, caller, prepared, requestHash);
        const { kind, target } = prepared;
        if (validateOnly) return { operation: null, plan, kind, target };
        assertPlan(plan, planHash, target);
      }
      await assertClaimed(deps.store, prepared, caller.signal);
      const now = deps.clock.now();
      const { kind } = prepared;
      const operation = newOperation(deps, caller, {
        ...prepared,
        requestId,
        requestHash,
        steps: prepared.steps ?? DEFINITIONS[kind].steps.map(({ name }) => newStepRecord(name)),
        now,
        deadline: now + timeoutMs,
      });
      await assertLimits(deps, caller, operation);
      return { operation: await admit(deps, caller, operation, prepared), plan: null };
    } catch (error) {
      if (!isMpcError(error, ...REFUSALS)) throw error;
      if (isOutrun(error) && round < MAX_ROUNDS) continue;
      // The rejection may be the effect of the same request, which another process has admitted.
      const meanwhile = await repeated();
      if (!meanwhile) throw error;
      return { operation: meanwhile, plan: null };
    }
  }
}

/** Whether another process was faster, so that the change must be prepared again. */
function isOutrun(error: MpcError): boolean {
  return isMpcError(error, "ABORTED", "ALREADY_EXISTS") && OUTRUN.has(error.reason);
}

/** Codes of rejections that depend on the current state. */
const REFUSALS = [
  "ABORTED",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "NOT_FOUND",
  "RESOURCE_EXHAUSTED",
] as const;

const OUTRUN: ReadonlySet<ErrorReason> = new Set([
  "VERSION_CONFLICT",
  "NAME_TAKEN",
  "REQUEST_ID_TAKEN",
  "ADMISSION_DROPPED",
]);

async function planOf(
  deps: ServiceDeps,
  caller: Caller,
  prepared: Prepared,
  requestHash: string,
): Promise<Plan> {
  const { kind, target, input, current, quota = [], recordChanges = [] } = prepared;
  const changes = await deps.planner.changes(kind, target, input, caller.signal);
  const done = new Set(prepared.steps?.flatMap((s) => s.state === "SUCCEEDED" ? [s.name] : []));
  const steps = DEFINITIONS[kind].steps.filter(({ name }) => !done.has(name))
    .map(({ name, onCancel, undo }) => ({ name, onCancel, undo: undo !== undefined }));
  const seen = current && [current.value.uid, current.version];
  // What the record changes to follows from the request and the state; times are relative to now.
  const planHash = fingerprint([requestHash, seen, changes, quota]);
  return { changes: [...recordChanges, ...changes], steps, quota, planHash };
}

/**
 * @throws {MpcError} ABORTED `PLAN_OUTDATED` if the plan is no longer the one that the caller saw
 */
export function assertPlan(plan: Plan, planHash: string, target: string): void {
  if (planHash === "" || plan.planHash === planHash) return;
  throw new MpcError("ABORTED", {
    reason: "PLAN_OUTDATED",
    message: `Cannot change '${target}': its state has changed since the plan was made; plan again`,
    retryable: false,
    metadata: { resource: target, planHash: plan.planHash },
  });
}
