import type { Instant, JsonObject, Operation, OperationKind, StepRecord } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";

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
