import type { CommandContext } from "./context.ts";

/** Runs what has no end of its own; ctrl-C ends it, and that is no failure. */
export async function untilInterrupted(
  { host }: CommandContext,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interrupted = new AbortController();
  const stopListening = host.onInterrupt(() => interrupted.abort());
  try {
    await run(interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    stopListening();
  }
}
