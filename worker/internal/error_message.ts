import { create } from "@bufbuild/protobuf";
import type { ErrorRecord } from "@mpc/domain";
import { type ErrorRecord as ErrorMessage, ErrorRecordSchema } from "@mpc/proto";

/** An error as it is sent to the API, which throws it again. */
export function errorMessage(record: ErrorRecord): ErrorMessage {
  return create(ErrorRecordSchema, {
    ...record,
    metadata: { ...record.metadata },
    causes: record.causes.map((cause) => ({ ...cause })),
  });
}
