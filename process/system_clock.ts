import { abortedByCaller, type MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { afterDelay } from "./after_delay.ts";

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(aborted(signal));
      };
      const cancel = afterDelay(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

const aborted = (signal: AbortSignal | undefined): MpcError =>
  abortedByCaller("go on sleeping", signal?.reason);
