import { Code, ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import type { Interceptor } from "./interceptor.ts";

const log = getLogger(["mpc", "access"]);

/** One line a call, at level debug; payloads and metadata stay out. */
export function accessLog(): Interceptor {
  return {
    after(context, error, startTime) {
      if (!log.isEnabledFor("debug")) return;
      log.debug("{method} {code} {ms} ms over {protocol}", {
        method: `${context.service.typeName}/${context.method.name}`,
        code: error === undefined
          ? "OK"
          : error instanceof ConnectError
          ? Code[error.code]
          : "Unknown",
        ms: Math.round(performance.now() - startTime),
        protocol: context.protocolName,
      });
    },
  };
}
