import type { Clock } from "@mpc/services";

/**
 * Waits for a promise until a timeout, or until the signal is aborted. The abort is needed here,
 * because in Deno 2.9 an abort at the wrong moment does not end a read of a response body.
 * @param late makes the error of the timeout
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER`
 */
export async function withTimeout<T>(
  pending: Promise<T>,
  options: {
    readonly ms: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly late: () => Error;
  },
): Promise<T> {
  const { ms, clock, signal, late } = options;
  const done = new AbortController();
  const timer = clock.sleep(ms, AbortSignal.any([done.signal, signal])).then((): never => {
    throw late();
  });
  try {
    return await Promise.race([pending, timer]);
  } finally {
    done.abort();
    // The promise that lost the race may still reject; its error is irrelevant.
    await timer.catch(() => {});
    pending.catch(() => {});
  }
}
