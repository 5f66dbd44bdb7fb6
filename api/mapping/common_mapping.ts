import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Condition as ConditionRecord, ErrorRecord, PlannedChange } from "@mpc/domain";
import {
  ChangeAction,
  type Condition,
  ConditionStatus,
  ErrorRecordSchema,
  PlannedChangeSchema,
} from "@mpc/proto";
import { timestamp } from "./values.ts";

export function toCondition(condition: ConditionRecord): Condition {
  return {
    $typeName: "mpc.v1.Condition",
    type: condition.type,
    status: ConditionStatus[condition.status],
    reason: condition.reason,
    message: condition.message,
    observedGeneration: BigInt(condition.observedGeneration),
    lastTransitionTime: timestamp(condition.lastTransitionTime),
  };
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
    note: change.note ?? "",
    fields: change.fields.map((field) => ({ ...field })),
  });
}
