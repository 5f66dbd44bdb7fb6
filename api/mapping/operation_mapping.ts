import { create } from "@bufbuild/protobuf";
import { isTerminal, type Operation as OperationRecord, type StepRecord } from "@mpc/domain";
import { type Operation, OperationSchema, OperationState, StepState } from "@mpc/proto";
import type { MutationResult, Stored } from "@mpc/services";
import { toErrorRecord, toPlannedChange } from "./common_mapping.ts";
import { toTimestamp } from "./values.ts";

/** An operation in the API's form, without its input, which may contain secrets. */
export function toOperation({ value }: Stored<OperationRecord>): Operation {
  return create(OperationSchema, {
    name: value.name,
    kind: value.kind,
    target: value.target,
    state: OperationState[value.state],
    done: isTerminal(value.state),
    steps: value.steps.map(toStep),
    error: toErrorRecord(value.error),
    actor: value.actor,
    engine: value.engine,
    createTime: toTimestamp(value.createTime),
    startTime: toTimestamp(value.startTime),
    endTime: toTimestamp(value.endTime),
    deadline: toTimestamp(value.deadline),
    ...(value.cancellation && {
      cancellation: { ...value.cancellation, time: toTimestamp(value.cancellation.time) },
    }),
    residue: value.residue.map((residue) => ({ ...residue })),
    retryOf: value.retryOf ?? "",
    requestId: value.requestId ?? "",
    waitingReason: value.waitingReason,
  });
}

/** The response to a mutation: the admitted operation, or a plan. */
export function toMutationAnswer(result: MutationResult): Operation {
  if (result.operation) return toOperation(result.operation);
  const { kind, target, plan } = result;
  return create(OperationSchema, {
    kind,
    target,
    plan: {
      changes: plan.changes.map(toPlannedChange),
      steps: plan.steps.map((step) => ({ ...step })),
      quota: plan.quota.map((effect) => ({ ...effect })),
      planHash: plan.planHash,
    },
  });
}

function toStep(step: StepRecord) {
  return {
    name: step.name,
    state: StepState[step.state],
    attempts: step.attempts.map((attempt) => ({
      number: attempt.number,
      undo: attempt.undo,
      startTime: toTimestamp(attempt.startTime),
      endTime: toTimestamp(attempt.endTime),
      error: toErrorRecord(attempt.error),
      nextRetryTime: toTimestamp(attempt.nextRetryTime),
    })),
    startTime: toTimestamp(step.startTime),
    endTime: toTimestamp(step.endTime),
    progress: step.progress,
  };
}
