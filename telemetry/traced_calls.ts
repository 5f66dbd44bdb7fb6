import { Code, ConnectError } from "@connectrpc/connect";
import { parseTraceparent } from "@mpc/domain";
import { codeName, contextOf, failSpan, identified, type Interceptor, tracer } from "@mpc/process";
import { type Context, context, type Span, SpanKind, trace } from "@opentelemetry/api";

/** Codes that are the server's fault ("Semantic conventions for gRPC", OpenTelemetry). */
const FAULTS: ReadonlySet<string> = new Set([
  ...["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
]);

/**
 * Makes a span of every call ("Semantic conventions for RPC spans", OpenTelemetry), in the trace of
 * its caller. The outermost interceptor, so that the work of all others is inside of it.
 */
export const traceCalls: Interceptor = {
  around(call, next) {
    const { service, method, context: { requestHeader, protocolName, values } } = call;
    const name = `${service.typeName}/${method.name}`;
    const attributes = {
      "rpc.system.name": protocolName === "connect" ? "connectrpc" : "grpc",
      "rpc.method": name,
    };
    const run = async (span: Span) => {
      let code = "OK";
      try {
        await next(call);
      } catch (error) {
        code = codeName(error instanceof ConnectError ? error.code : Code.Unknown);
        if (FAULTS.has(code)) failSpan(span, code);
        throw error;
      } finally {
        const principal = identified({ values })?.principal;
        if (principal !== undefined) span.setAttribute("enduser.id", principal);
        span.setAttribute("rpc.response.status_code", code).end();
      }
    };
    const parent = parentOf(requestHeader.get("traceparent"));
    return tracer.startActiveSpan(name, { kind: SpanKind.SERVER, attributes }, parent, run);
  },
};

/**
 * The span that Deno makes of a request, which is in the trace of its caller; at the gRPC door, whose
 * calls do not run inside of it, the span of the caller.
 */
function parentOf(traceparent: string | null): Context {
  const given = parseTraceparent(traceparent);
  const isActive = !given || trace.getActiveSpan()?.spanContext().traceId === given.traceId;
  return isActive ? context.active() : contextOf(traceparent);
}
