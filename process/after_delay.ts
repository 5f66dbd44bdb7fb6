/** The longest delay of a timer, which has 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back after `ms` of the monotonic clock, however long that is: a plain timer of more than 24.8
 * days fires at once.
 * @returns cancels the callback
 */
export function afterDelay(ms: number, callback: () => void): () => void {
  const end = performance.now() + ms;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (leftMs: number) => {
    timer = setTimeout(() => {
      const left = end - performance.now();
      if (left > 0) wait(left);
      else callback();
    }, Math.min(leftMs, MAX_TIMER_MS));
  };
  wait(Math.max(0, ms));
  return () => clearTimeout(timer);
}
