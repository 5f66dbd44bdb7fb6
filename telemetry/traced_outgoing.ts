import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { codeName, failSpan, tracer } from "@mpc/process";
import { SpanKind } from "@opentelemetry/api";

/**
 * Makes a span of every call to another process of the platform, up to the beginning of its answer.
 * Deno's `fetch` adds the W3C context to the request.
 */
export const traceOutgoing: Interceptor = (next) => (request) => {
  const { service, method } = request;
  const name = `${service.typeName}/${method.name}`;
  const attributes = {
    "rpc.system.name": "connectrpc",
    "rpc.method": name,
    "server.address": new URL(request.url).host,
  };
  return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    let code = "OK";
    try {
      return await next(request);
    } catch (error) {
      code = codeName(ConnectError.from(error).code);
      failSpan(span, code);
      throw error;
    } finally {
      span.setAttribute("rpc.response.status_code", code).end();
    }
  });
};
