import { type Operation, type OperationKind, separateWords } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { fingerprint } from "./fingerprint.ts";
import { canonicalRequestId } from "./idempotency.ts";
import { assertPlan, type Method, type MutationOptions, type MutationResult } from "./mutate.ts";
import { newOperation } from "./new_operation.ts";
import { operationEvent } from "../resources/resource_events.ts";

/**
 * Records an operation that has succeeded because there was nothing to do.
 * @throws {MpcError} ABORTED `PLAN_OUTDATED`, ALREADY_EXISTS `REQUEST_ID_TAKEN`
 */
export async function recordNoChange(
  deps: ServiceDeps,
  caller: Caller,
  options: MutationOptions,
  kind: OperationKind,
  method: Method & { readonly body: { readonly name: string } },
): Promise<MutationResult> {
  const target = method.body.name;
  const requestHash = fingerprint([method.name, method.body]);
  const plan = { changes: [], steps: [], quota: [], planHash: requestHash };
  if (options.validateOnly) return { operation: null, plan, kind, target };
  assertPlan(plan, options.planHash ?? "", target);
  const now = deps.clock.now();
  const operation: Operation = {
    ...newOperation(deps, caller, {
      kind,
      target,
      targetUid: "",
      input: {},
      requestId: canonicalRequestId(separateWords(method.name, " "), options.requestId ?? ""),
      requestHash,
      steps: [],
      now,
      deadline: now,
    }),
    state: "SUCCEEDED",
    startTime: now,
    endTime: now,
  };
  const stored = await deps.store.operations.create(operation, {
    signal: caller.signal,
    events: [operationEvent({ value: operation, version: 1 }, {
      type: "CREATED",
      reason: "OperationSucceeded",
      message: `There was no '${target}' to delete`,
      time: now,
    })],
  });
  return { operation: stored, plan: null };
}
