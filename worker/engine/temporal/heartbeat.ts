/** How often a worker reports that it is alive. The response carries cancellations. */
const BEAT_MS = 2_000;

/** Uses real time, whatever clock the steps use, because it shows that this process is alive. */
export function heartbeat(tell: () => void, over: AbortSignal): void {
  const timer = setInterval(tell, BEAT_MS);
  over.addEventListener("abort", () => clearInterval(timer), { once: true });
}
