import { getLogger } from "@logtape/logtape";
import { isMpcError, recordError } from "@mpc/domain";
import { ConnectError } from "@connectrpc/connect";
import { toConnectError } from "../error_codes.ts";
import type { Interceptor } from "./interceptor.ts";

const log = getLogger(["mpc", "api"]);

/** Turns errors into what callers are told; what nobody planned for goes to the log, whole. */
export function mapErrors(newId: () => string): Interceptor {
  return {
    failed(error, context) {
      if (context.signal.aborted && !isMpcError(error)) {
        // The call's own end: its reason says whether that was the deadline or the caller.
        const { reason } = context.signal;
        if (reason instanceof ConnectError) return reason;
      }
      return toConnectError(
        error,
        (id, unknown) =>
          log.error("Internal error {id} in {method}: {error} {stack}", {
            id,
            method: context.method.name,
            error: recordError(unknown),
            stack: unknown instanceof Error ? unknown.stack : undefined,
          }),
        newId,
      );
    },
  };
}
