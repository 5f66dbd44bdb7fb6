import type { Clock } from "@mpc/services";

/**
 * Waits for a read for so long, and no longer than the signal lets it: in Deno 2.9 a read of a body
 * that is aborted at the wrong moment does not end by itself.
 * @param late what to throw when time is up
 * @throws {MpcError} CANCELLED `ABORTED_BY_CALLER`
 */
export async function within<T>(
  read: Promise<T>,
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
    return await Promise.race([read, timer]);
  } finally {
    done.abort();
    // Whichever came second is of no interest.
    await timer.catch(() => {});
    read.catch(() => {});
  }
}
