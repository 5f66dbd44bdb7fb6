import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { parseTraceparent } from "@mpc/domain";
import { type Call, codeName, identified, type Interceptor } from "@mpc/process";
import type { Metrics } from "./metrics.ts";

/** The flag of recorded traces (W3C Trace Context). */
const SAMPLED = 1;

/**
 * Measures every call. Must be outside of the interceptor that translates errors, since it tells
 * calls apart by their codes.
 */
export function measureCalls(metrics: Metrics): Interceptor {
  const known = new Map<DescMethod, { count: number }>();
  const runningOf = (method: DescMethod) => {
    let running = known.get(method);
    if (!running) {
      running = metrics.runningCalls(method.parent.typeName, method.name);
      known.set(method, running);
    }
    return running;
  };
  return {
    async around(call, next) {
      const { service: { typeName: service }, method: { name: method, methodKind } } = call;
      const running = runningOf(call.method);
      const startTime = performance.now();
      const watchers = methodKind === "unary"
        ? undefined
        : metrics.watchers.labels(service, method);
      let code = "OK";
      running.count++;
      watchers?.inc();
      try {
        await next(call);
      } catch (error) {
        code = codeName(error instanceof ConnectError ? error.code : Code.Unknown);
        throw error;
      } finally {
        running.count--;
        watchers?.dec();
        if (methodKind === "unary") {
          const value = (performance.now() - startTime) / 1_000;
          const exemplarLabels = exemplarOf(call);
          if (exemplarLabels) {
            metrics.rpcSeconds.observe({
              labels: { service, method, code },
              value,
              exemplarLabels,
            });
          } else metrics.rpcSeconds.labels(service, method, code).observe(value);
        } else {
          metrics.rpcStreams.labels(service, method, code).inc();
          if (isCutOff(call)) metrics.droppedWatchers.labels(service, method).inc();
        }
      }
    },
  };
}

/** The trace of a call, if it is recorded; a scraper finds a slow call by it. */
function exemplarOf({ context }: Call): { readonly trace_id: string } | undefined {
  const position = parseTraceparent(identified(context)?.traceparent ?? null);
  return position && position.traceFlags & SAMPLED ? { trace_id: position.traceId } : undefined;
}

/** Whether a door has ended a stream because its reader was too slow. */
const isCutOff = ({ context: { signal: { reason } } }: Call): boolean =>
  reason instanceof ConnectError && reason.code === Code.ResourceExhausted;
