import { Code, ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { type ErrorRecord, recordError } from "@mpc/domain";
import type { Interceptor } from "@mpc/process";
import { ErrorRecordSchema } from "@mpc/proto";
import { errorMessage } from "./error_message.ts";

const log = getLogger(["mpc", "internal"]);

/**
 * Puts the whole error into the status of a failed call, so that the API can throw it again.
 * Unexpected errors are logged, and the API receives only their kind.
 */
export const tellErrors: Interceptor = {
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
  const record = told(method, recordError(error));
  // The API reads the code of the detail; the code of the call only marks the call as failed.
  const result = new ConnectError(record.message, Code.Unknown);
  result.details.push({
    desc: ErrorRecordSchema,
    value: errorMessage(record),
  });
  return result;
}

function told(method: string, record: ErrorRecord): ErrorRecord {
  if (record.code !== "INTERNAL") return record;
  log.error("Internal error in {method}: {error}", { method, error: record });
  return { ...record, message: "internal error of a worker; its log has it", causes: [] };
}
