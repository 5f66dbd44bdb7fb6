import { Code, ConnectError } from "@connectrpc/connect";
import { parseTraceparent } from "@mpc/domain";
import { frequentLog } from "../logging/logging.ts";
import { codeName } from "./code_name.ts";
import { identified } from "./identify.ts";
import type { Call, Interceptor, Next, Response } from "./interceptor.ts";

const log = frequentLog("rpc", "info");

/**
 * Logs one line for each call when it ends, at level info: its method, status, duration, caller, and
 * what it is about as far as its names say. Other content of messages and metadata is not logged.
 */
export const accessLog: Interceptor = {
  // Not `async`: a call that is not logged should not wait for an additional promise.
  around: (call, next) => log.isEnabled() ? logged(call, next) : next(call),
};

async function logged(call: Call, next: Next): Promise<void> {
  const { service, method, context, request } = call;
  const startTime = performance.now();
  const names = namesIn(Symbol.asyncIterator in request ? {} : request);
  let code = "OK";
  let reason: string | undefined;
  try {
    await next(method.methodKind === "unary" ? noting(names, call) : call);
  } catch (error) {
    ({ code, reason } = failureOf(error));
    throw error;
  } finally {
    const caller = identified(context);
    log.write("{method} {code}", {
      method: `${service.typeName}/${method.name}`,
      code,
      reason,
      durationMs: Math.round((performance.now() - startTime) * 10) / 10,
      principal: caller?.principal,
      source: caller?.source,
      protocol: context.protocolName,
      traceId: parseTraceparent(caller?.traceparent ?? null)?.traceId,
      ...names,
    });
  }
}

/** What a call is about. */
interface Names {
  requestId?: string | undefined;
  operation?: string | undefined;
  environment?: string | undefined;
  resource?: string | undefined;
}

/** The names in a request; values of other fields are not looked at. */
function namesIn(request: object): Names {
  const resource = textIn(request, "name") ?? textIn(request, "parent");
  const id = textIn(request, "environmentId");
  return {
    requestId: textIn(request, "requestId"),
    ...(resource?.startsWith("operations/") ? { operation: resource } : { resource }),
    environment: id === undefined ? environmentOf(resource) : `environments/${id}`,
  };
}

/** Passes a call on, and notes the operation that it is answered with. */
function noting(names: Names, call: Call): Call {
  const note = (response: Response) => {
    const name = textIn(response, "name");
    if (!name?.startsWith("operations/")) return;
    const target = textIn(response, "target");
    names.operation = name;
    names.resource ??= target;
    names.environment ??= environmentOf(target);
  };
  const send = (response: Response) => {
    note(response);
    return call.send(response);
  };
  return { ...call, send };
}

function textIn(message: object, field: string): string | undefined {
  const value: unknown = Reflect.get(message, field);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `environments/dev` of `environments/dev/workloads/web`. */
const environmentOf = (name: string | undefined): string | undefined =>
  name?.startsWith("environments/") ? name.split("/", 2).join("/") : undefined;

/** The status of a failed call, and the reason in the details of its error. */
function failureOf(error: unknown): { readonly code: string; readonly reason?: string } {
  if (!(error instanceof ConnectError)) return { code: codeName(Code.Unknown) };
  const code = codeName(error.code);
  for (const detail of error.details) {
    if (!("value" in detail)) continue;
    const reason = textIn(detail.value, "reason");
    // Workers put the code into the details.
    if (reason !== undefined) return { code: textIn(detail.value, "code") ?? code, reason };
  }
  return { code };
}
