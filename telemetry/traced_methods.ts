import { inSpan } from "@mpc/process";
import { type SpanOptions, trace } from "@opentelemetry/api";

/** The span of one call. */
export interface CallSpan extends SpanOptions {
  readonly name: string;
}

/**
 * Decorates a port of any kind so that calls run in spans of the trace that they belong to. Calls
 * outside of traces make none: background work would begin a trace with each.
 * @param describe the span of an asynchronous method; undefined for a method that gets none
 */
export function tracedMethods<Port extends object>(
  port: Port,
  describe: (method: string, args: readonly unknown[]) => CallSpan | undefined,
): Port {
  return new Proxy(port, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== "function" || typeof key !== "string") return method;
      return (...args: unknown[]) => {
        const run = () => Reflect.apply(method, target, args);
        const span = trace.getActiveSpan() && describe(key, args);
        return span ? inSpan(span.name, span, run) : run();
      };
    },
  });
}
