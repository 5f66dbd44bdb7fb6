import { Code, ConnectError } from "@connectrpc/connect";
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
        throw challenging(mapped(error, call), call);
      }
    },
  };
}

/** Names the scheme of credentials to callers who speak HTTP (RFC 9110, 15.5.2; RFC 6750, 3). */
function challenging(error: ConnectError, { context }: Call): ConnectError {
  if (error.code !== Code.Unauthenticated || context.protocolName !== "connect") return error;
  const given = context.requestHeader.has("authorization");
  error.metadata.set("www-authenticate", given ? 'Bearer error="invalid_token"' : "Bearer");
  return error;
}
