import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Call, codeName, type Interceptor } from "@mpc/process";
import type { Metrics } from "./metrics.ts";

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
          metrics.rpcSeconds.labels(service, method, code)
            .observe((performance.now() - startTime) / 1_000);
        } else {
          metrics.rpcStreams.labels(service, method, code).inc();
          if (isCutOff(call)) metrics.droppedWatchers.labels(service, method).inc();
        }
      }
    },
  };
}

/** Whether a door has ended a stream because its reader was too slow. */
const isCutOff = ({ context: { signal: { reason } } }: Call): boolean =>
  reason instanceof ConnectError && reason.code === Code.ResourceExhausted;
