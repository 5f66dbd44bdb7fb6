import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Condition, ErrorRecord, PlannedChange } from "@mpc/domain";
import {
  ChangeAction,
  ConditionSchema,
  ConditionStatus,
  ErrorRecordSchema,
  PlannedChangeSchema,
} from "@mpc/proto";
import { toTimestamp } from "./values.ts";

export function toCondition(condition: Condition): MessageInitShape<typeof ConditionSchema> {
  return create(ConditionSchema, {
    type: condition.type,
    status: ConditionStatus[condition.status],
    reason: condition.reason,
    message: condition.message,
    observedGeneration: BigInt(condition.observedGeneration),
    lastTransitionTime: toTimestamp(condition.lastTransitionTime),
  });
}

export function toErrorRecord(
  error: ErrorRecord | null,
): MessageInitShape<typeof ErrorRecordSchema> | undefined {
  if (error === null) return undefined;
  const { code, reason, message, retryable, metadata, causes } = error;
  return create(ErrorRecordSchema, {
    code,
    reason,
    message,
    retryable,
    metadata: { ...metadata },
    causes: causes.map((cause) => ({ ...cause })),
  });
}

export function toPlannedChange(
  change: PlannedChange,
): MessageInitShape<typeof PlannedChangeSchema> {
  return create(PlannedChangeSchema, {
    action: ChangeAction[change.action],
    object: change.object,
    fields: change.fields.map((field) => ({ ...field })),
  });
}
