/** Errors of JSON calls, in the form of the other calls' errors; loaded only for a failed call. */
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromHttpStatus, errorFromJson } from "@connectrpc/connect/protocol-connect";

/** The error in a server's response (Connect protocol, "Error end-stream"). */
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

/** The error of a call that got no response. */
export function errorOfCall(error: unknown, isLate: boolean): ConnectError {
  if (error instanceof ConnectError) return error;
  if (isLate) return new ConnectError("the call took too long", Code.DeadlineExceeded);
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectError(message, Code.Unknown, undefined, undefined, error);
}
