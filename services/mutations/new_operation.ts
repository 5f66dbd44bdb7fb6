import {
  type Instant,
  invalidArgument,
  type JsonObject,
  type Operation,
  type OperationKind,
  type StepRecord,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { defaultTimeoutMs, type Definition } from "../sagas/mod.ts";

/** What is known about an operation before it is recorded. */
export interface OperationRequest {
  readonly kind: OperationKind;
  readonly target: string;
  readonly targetUid: string;
  readonly input: JsonObject;
  /** Empty for none. */
  readonly requestId: string;
  readonly requestHash: string;
  readonly steps: readonly StepRecord[];
  readonly retryOf?: string;
  readonly now: Instant;
  readonly deadline: Instant;
}

/** The record of an operation that has not begun. */
export function newOperation(
  { ids, engine }: Pick<ServiceDeps, "ids" | "engine">,
  { principal, traceparent }: Caller,
  request: OperationRequest,
): Operation {
  const { kind, target, targetUid, input, requestId, requestHash, steps, now, deadline } = request;
  return {
    name: `operations/${ids.uuid()}`,
    kind,
    target,
    targetUid,
    state: "PENDING",
    input,
    requestId: requestId || null,
    requestHash,
    steps,
    error: null,
    actor: principal,
    engine,
    createTime: now,
    updateTime: now,
    startTime: null,
    endTime: null,
    deadline,
    cancellation: null,
    residue: [],
    retryOf: request.retryOf ?? null,
    traceparent,
    waitingReason: "",
  };
}

const MAX_TIMEOUT_MS = 24 * 3_600_000;

/**
 * The time limit of an operation. Budgets nest: an attempt fits into its step's budget, and every
 * step that does not wait fits at least one whole attempt into the operation's time.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` if `wantedMs` is too short or too long
 */
export function operationTimeoutMs(definition: Definition, wantedMs: number | null): number {
  if (wantedMs === null) return defaultTimeoutMs(definition);
  const calls = definition.steps.filter((step) => step.heartbeatMs === undefined);
  const shortest = Math.max(0, ...calls.map((step) => step.attemptTimeoutMs));
  if (wantedMs >= shortest && wantedMs <= MAX_TIMEOUT_MS) return wantedMs;
  const action = definition.kind.split(".").reverse().join(" ");
  throw invalidArgument(action, [{
    field: "timeout",
    value: `${wantedMs / 1_000}s`,
    rule: "BUDGETS_NEST",
    hint: `must be ${shortest / 1_000}s (one attempt of its longest call) to 24h`,
  }]);
}
