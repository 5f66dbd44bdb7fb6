import { abortedByCaller, type MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

/** The longest delay of a timer (32 bits of milliseconds). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        clearTimeout(timer);
        reject(aborted(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, Math.min(ms, MAX_TIMER_MS));
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

const aborted = (signal: AbortSignal | undefined): MpcError =>
  abortedByCaller("go on sleeping", signal?.reason);
