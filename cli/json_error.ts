/** Errors of calls with JSON, as the other calls have them; loaded only when there is one. */
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";

/** The error in a server's answer (Connect protocol, "Error end-stream"), or that it is none. */
export function refused(text: string): ConnectError {
  const fallback = new ConnectError("its answer is not of this API", Code.Unknown);
  try {
    return errorFromJson(JSON.parse(text), undefined, fallback);
  } catch (error) {
    return error instanceof ConnectError ? error : fallback;
  }
}

/** The error of a call that got no answer. */
export function failed(error: unknown, late: boolean): ConnectError {
  if (error instanceof ConnectError) return error;
  if (late) return new ConnectError("the call took too long", Code.DeadlineExceeded);
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectError(message, Code.Unknown, undefined, undefined, error);
}
