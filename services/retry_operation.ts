import { idOf, MpcError, type Operation, type StepRecord } from "@mpc/domain";
import { assertIdle } from "./admit.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDeps } from "./deps.ts";
import { getOperation } from "./get_operation.ts";
import { mutate, type MutationOptions, type MutationResult } from "./mutation.ts";
import { DEFINITIONS, newStepRecord, resourceOf } from "./operations/mod.ts";
import { notFound } from "./preconditions.ts";

const ACTION = "retry operation";

/**
 * Tries an operation that failed again: steps that are done and were not undone are kept, so it
 * begins at the one that failed. The new operation names the one it retries.
 * @throws {MpcError} NOT_FOUND `OPERATION_NOT_FOUND`, FAILED_PRECONDITION `NOT_RETRYABLE` or
 *   `SUPERSEDED`, and what `mutate` throws
 */
export async function retryOperation(
  deps: ServiceDeps,
  caller: Caller,
  request: MutationOptions & { readonly name: string },
): Promise<MutationResult> {
  const { name } = request;
  const { value: failed } = await getOperation(deps, caller, name);
  const method = { name: "RetryOperation", body: { name } };
  return await mutate(deps, caller, request, method, async () => {
    assertRetryable(failed);
    const current = await resourceOf(deps.store, failed, caller.signal);
    if (!current) {
      const kind = DEFINITIONS[failed.kind].resource;
      throw notFound(kind, failed.target, `${ACTION} '${idOf(name)}' on`);
    }
    assertIdle(current.value, ACTION);
    if (current.value.lastOperation !== name) throw superseded(failed, current.value.lastOperation);
    return {
      kind: failed.kind,
      target: failed.target,
      targetUid: failed.targetUid,
      input: failed.input,
      current,
      lock: "take",
      timeoutMs: null,
      steps: failed.steps.map(carriedOver),
      retryOf: name,
    };
  });
}

/** A step that is still in effect need not run again. */
function carriedOver(step: StepRecord): StepRecord {
  return step.state === "SUCCEEDED" ? step : newStepRecord(step.name);
}

function assertRetryable({ name, state }: Operation): void {
  if (state === "FAILED" || state === "NEEDS_ATTENTION") return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NOT_RETRYABLE",
    message: `Cannot ${ACTION} '${idOf(name)}': it is ${state}, must be FAILED or NEEDS_ATTENTION`,
    metadata: { operation: name, state },
  });
}

function superseded({ name, target }: Operation, later: string | null): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "SUPERSEDED",
    message: `Cannot ${ACTION} '${idOf(name)}': '${later}' has changed '${target}' since`,
    metadata: { operation: name, ...(later && { later }) },
  });
}
