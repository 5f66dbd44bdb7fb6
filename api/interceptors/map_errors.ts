import { ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { isMpcError, recordError } from "@mpc/domain";
import type { Call, Interceptor } from "@mpc/process";
import { toConnectError } from "../error_codes.ts";

const log = getLogger(["mpc", "api"]);

/** Translates errors into the errors for callers; logs unexpected ones in full. */
export function mapErrors(newId: () => string): Interceptor {
  const mapped = (error: unknown, { method, context: { signal } }: Call): ConnectError => {
    if (signal.aborted && (!isMpcError(error) || error.code === "CANCELLED")) {
      // The call's own end: its reason says whether it was the deadline or the caller.
      const { reason } = signal;
      if (reason instanceof ConnectError) return reason;
    }
    return toConnectError(
      error,
      (id, unknown) =>
        log.error("Internal error {id} in {method}: {error} {stack}", {
          id,
          method: method.name,
          error: recordError(unknown),
          stack: unknown instanceof Error ? unknown.stack : undefined,
        }),
      newId,
    );
  };
  return {
    async around(call, next) {
      try {
        await next(call);
      } catch (error) {
        throw mapped(error, call);
      }
    },
  };
}
