import { isMpcError, isReason } from "@mpc/domain";
import type { Interceptor } from "@mpc/process";
import type { Metrics } from "./metrics.ts";

/** What a call is refused for, whatever it asks: who calls, what they may do, and how often. */
const REFUSALS = ["UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"] as const;

/** Counts refused calls. Must be inside of the interceptor that translates errors. */
export function countRefusals({ refusals }: Metrics): Interceptor {
  return {
    async around(call, next) {
      try {
        await next(call);
      } catch (error) {
        if (isMpcError(error) && REFUSALS.some((code) => code === error.code)) {
          refusals.labels(error.code, isReason(error.reason) ? error.reason : "OTHER").inc();
        }
        throw error;
      }
    },
  };
}
