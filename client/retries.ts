import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { type FailureOrigin, readFailure } from "./errors.ts";
import { Reconnect, type ReconnectOptions } from "./reconnect.ts";

/** Origins of errors after which the server may answer the same call soon. */
const PASSING: ReadonlySet<FailureOrigin> = new Set([
  "refused",
  "unknown_host",
  "unreachable",
  "broken",
  "unavailable",
]);

/** Reasons for which the API rejects a call before it does anything, and for a moment only. */
const PASSING_REASONS: ReadonlySet<string> = new Set(["RATE_LIMITED", "SHUTTING_DOWN"]);

/**
 * A transport that repeats unary calls while the server restarts: reads, and changes with a request
 * id (AIP-155), which the server executes once. A server that has never answered is reported at
 * once, unless the connection broke during a change, which the server may have admitted.
 */
export function withRetries(transport: Transport, options: ReconnectOptions): Transport {
  let reached = false;
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const hasRequestId = "requestId" in input && input.requestId !== "";
      const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      let reconnect: Reconnect | undefined;
      for (;;) {
        try {
          const response = await transport.unary(method, signal, timeoutMs, header, input, values);
          reached = true;
          reconnect?.received(true);
          return response;
        } catch (error) {
          const { origin } = readFailure(ConnectError.from(error));
          reached ||= origin === "api";
          if (!hasRequestId && !isRead) throw error;
          const mayBeAdmitted = hasRequestId && origin === "broken";
          reconnect ??= new Reconnect({ ...options, signal, isPassing }, reached || mayBeAdmitted);
          await reconnect.again(error);
        }
      }
    },
    async stream(...call) {
      const response = await transport.stream(...call);
      reached = true;
      return response;
    },
  };
}

function isPassing(error: ConnectError): boolean {
  const { origin, reason } = readFailure(error);
  return origin === "api" ? PASSING_REASONS.has(reason) : PASSING.has(origin);
}
