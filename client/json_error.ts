/** Errors of calls with JSON, in the form of the other calls' errors; loaded when there is one. */
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromHttpStatus, errorFromJson } from "@connectrpc/connect/protocol-connect";

/** The error in a server's answer (Connect protocol, "Error end-stream"), or that there is none. */
export function errorOfAnswer(status: number, text: string): ConnectError {
  const fallback = status === 200
    ? new ConnectError("its answer is not of this API", Code.Unknown)
    : new ConnectError(`HTTP ${status}`, codeFromHttpStatus(status));
  try {
    return errorFromJson(JSON.parse(text), undefined, fallback);
  } catch (error) {
    return error instanceof ConnectError ? error : fallback;
  }
}

/** The error of a call without an answer. */
export function errorOfCall(error: unknown, isLate: boolean): ConnectError {
  if (error instanceof ConnectError) return error;
  if (isLate) return new ConnectError("the call took too long", Code.DeadlineExceeded);
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectError(message, Code.Unknown, undefined, undefined, error);
}
