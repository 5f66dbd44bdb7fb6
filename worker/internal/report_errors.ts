import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { type ErrorRecord, recordError } from "@mpc/domain";
import type { Interceptor } from "@mpc/process";
import { type ErrorRecord as ErrorMessage, ErrorRecordSchema } from "@mpc/proto";

const log = getLogger(["mpc", "internal"]);

/**
 * Puts the whole error into the status of a failed call, so that the API can throw it again.
 * Unexpected errors are logged, and the API receives only their kind.
 */
export const reportErrors: Interceptor = {
  async around(call, next) {
    try {
      await next(call);
    } catch (error) {
      throw failure(call.method.name, error);
    }
  },
};

function failure(method: string, error: unknown): unknown {
  if (error instanceof ConnectError) return error;
  const record = forApi(method, recordError(error));
  // The API reads the code of the detail; the code of the call only says that it failed.
  const result = new ConnectError(record.message, Code.Unknown);
  result.details.push({
    desc: ErrorRecordSchema,
    value: errorMessage(record),
  });
  return result;
}

/** An internal error is reported to the API without its details. */
function forApi(method: string, record: ErrorRecord): ErrorRecord {
  if (record.code !== "INTERNAL") return record;
  log.error("Internal error in {method}: {error}", { method, error: record });
  return { ...record, message: "internal error of a worker; its log has it", causes: [] };
}

/** An error as it is sent to the API, which throws it again. */
export function errorMessage(record: ErrorRecord): ErrorMessage {
  return create(ErrorRecordSchema, {
    ...record,
    metadata: { ...record.metadata },
    causes: record.causes.map((cause) => ({ ...cause })),
  });
}
