/** How often a worker says that it is alive; a cancellation arrives with the answer. */
const BEAT_MS = 2_000;

/** By the machine's clock, whatever clock steps go by: it tells that this process is alive. */
export function heartbeat(tell: () => void, over: AbortSignal): void {
  const timer = setInterval(tell, BEAT_MS);
  over.addEventListener("abort", () => clearInterval(timer), { once: true });
}
