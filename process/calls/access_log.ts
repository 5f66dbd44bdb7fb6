import { Code, ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { identified } from "./identify.ts";
import type { Call, Interceptor, Next } from "./interceptor.ts";

const log = getLogger(["mpc", "access"]);

/** Logs one line for each call, at level debug, without payloads and metadata. */
export const accessLog: Interceptor = {
  // Not `async`: a call that is not logged should not wait for an additional promise.
  around: (call, next) => log.isEnabledFor("debug") ? logged(call, next) : next(call),
};

async function logged(call: Call, next: Next): Promise<void> {
  const { service, method, context } = call;
  const startTime = performance.now();
  let code = "OK";
  try {
    await next(call);
  } catch (error) {
    code = error instanceof ConnectError ? Code[error.code] : "Unknown";
    throw error;
  } finally {
    const caller = identified(context);
    log.debug("{method} {code} {ms} ms for {principal} at {source} over {protocol}", {
      method: `${service.typeName}/${method.name}`,
      code,
      ms: Math.round(performance.now() - startTime),
      principal: caller?.principal ?? "nobody",
      source: caller?.source ?? "an unknown address",
      protocol: context.protocolName,
    });
  }
}
