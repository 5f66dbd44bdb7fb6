import { ConnectError } from "@connectrpc/connect";
import { isNotFound, type ReconnectOptions } from "@mpc/client";
import { type CommandContext, lostText, type Note } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";
import type { Interrupt } from "../host/mod.ts";
import { elapsed } from "../output/time.ts";

/** The longest delay of a timer, which has 31 bits; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Why a follower stopped before its end. */
export type Stopped =
  | { readonly why: "interrupted"; readonly by: Interrupt }
  /** `lost` is the error if the server was unreachable at that time. */
  | { readonly why: "timeout"; readonly lost: ConnectError | undefined }
  /** The server was unreachable for too long. */
  | { readonly why: "lost"; readonly lost: ConnectError };

/** How a follower is stopped, and where it reports a lost server. */
export interface FollowOptions {
  readonly timeoutMs: number | undefined;
  readonly note: Note;
  /** Aborted at ctrl-C by a caller with several followers; by default each listens itself. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Runs a follower until its end, ctrl-C or the timeout. A lost server is tried again until the
 * timeout, or for a default time without one.
 * @returns undefined at its end
 */
export async function following(
  { host, config }: CommandContext,
  { timeoutMs, note, interrupted }: FollowOptions,
  run: (options: ReconnectOptions & { readonly signal: AbortSignal }) => Promise<void>,
): Promise<Stopped | undefined> {
  const stop = new AbortController();
  let lost: ConnectError | undefined;
  let stopped: (() => Stopped) | undefined;
  const end = (why: () => Stopped) => {
    stopped ??= why;
    stop.abort();
  };
  const stopListening = listen(host, interrupted, (by) => end(() => ({ why: "interrupted", by })));
  const timer = timeoutMs === undefined ? undefined : setTimeout(
    () => end(() => ({ why: "timeout", lost })),
    Math.min(timeoutMs, MAX_TIMER_MS),
  );
  try {
    await run({
      signal: stop.signal,
      giveUpAfterMs: config.reconnectMs,
      onLost(error) {
        lost = error;
        note(lostText(error));
      },
      onFound: () => lost = undefined,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (stopped) return stopped();
    if (lost) return { why: "lost", lost: error };
    throw error;
  } finally {
    stopListening();
    clearTimeout(timer);
  }
}

/** @returns a function that stops listening */
function listen(
  host: CommandContext["host"],
  interrupted: AbortSignal | undefined,
  handler: (by: Interrupt) => void,
): () => void {
  if (!interrupted) return host.onInterrupt(handler);
  const aborted = () => handler("SIGINT");
  if (interrupted.aborted) aborted();
  interrupted.addEventListener("abort", aborted);
  return () => interrupted.removeEventListener("abort", aborted);
}

/**
 * Runs a follower that has no result of its own, such as a watch. ctrl-C is not a failure.
 * @param next how to go on; empty while nothing has been received
 * @returns the exit code
 */
export async function followToEnd(
  context: CommandContext,
  timeoutMs: number | undefined,
  next: () => string,
  run: Parameters<typeof following>[2],
): Promise<number> {
  const { terminal, config } = context;
  const note = (text: string) => terminal.err(`${text}\n`);
  const failed = (error: ConnectError) => {
    const { text, exitCode } = renderError(error, config, next());
    terminal.err(text);
    return exitCode;
  };
  try {
    const stopped = await following(context, { timeoutMs, note }, run);
    if (!stopped) return EXIT.OK;
    if (stopped.why === "lost") return failed(stopped.lost);
    if (stopped.why === "timeout") {
      if (stopped.lost) failed(stopped.lost);
      else terminal.err(lines(`Stopped after ${elapsed(timeoutMs ?? 0)}`, next()));
      return EXIT.TIMEOUT;
    }
    terminal.err(lines(next()));
    return EXIT.OK;
  } catch (error) {
    // What no longer exists cannot be followed again.
    if (!(error instanceof ConnectError) || isNotFound(error) || next() === "") throw error;
    return failed(error);
  }
}

const lines = (...texts: readonly string[]): string =>
  texts.filter((text) => text !== "").map((text) => `${text}\n`).join("");
