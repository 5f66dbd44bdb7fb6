import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { type ErrorRecord, recordError } from "@mpc/domain";
import { ErrorRecordSchema } from "@mpc/proto";
import { errorMessage } from "./error_message.ts";

const log = getLogger(["mpc", "internal"]);

/**
 * Puts the whole error into the status of a failed call, for the API to throw again. What nobody
 * planned for goes to the log, and only its kind to the API.
 */
export const tellErrors: Interceptor = (next) => async (request) => {
  const method = request.method.name;
  try {
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: telling(method, response.message) };
  } catch (error) {
    throw failure(method, error);
  }
};

async function* telling<T>(method: string, messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw failure(method, error);
  }
}

function failure(method: string, error: unknown): unknown {
  if (error instanceof ConnectError) return error;
  const record = told(method, recordError(error));
  // The code of the detail is what counts; that of the call only says that it failed.
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
