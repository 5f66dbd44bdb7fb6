import { Code, ConnectError } from "@connectrpc/connect";
import { type FailureOrigin, readFailure } from "./errors.ts";

/** The clock of pauses; fake in tests. */
export interface Timing {
  /** Milliseconds of a clock that does not step. */
  now(): number;
  /** Resolves after a time, or at once when the signal is aborted. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

/** How a follower copes with a server that goes away. */
export interface ReconnectOptions {
  /** Ends the following. */
  readonly signal?: AbortSignal | undefined;
  /** How long the server may be away until the following fails; for ever where not given. */
  readonly giveUpAfterMs?: number | undefined;
  /** Called when the connection is lost, once until it is back. */
  readonly onLost?: ((error: ConnectError) => void) | undefined;
  /** Called when a lost connection is back. */
  readonly onFound?: (() => void) | undefined;
  readonly timing?: Timing | undefined;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** Origins of errors that a restart of the server gives rise to. */
const PASSING: ReadonlySet<FailureOrigin> = new Set([
  "timeout",
  "refused",
  "unknown_host",
  "unreachable",
  "broken",
  "unavailable",
]);

/** Decides whether and when a stream that ended is opened again: exponential backoff with jitter. */
export class Reconnect {
  readonly #options: ReconnectOptions;
  readonly #timing: Timing;
  /** Whether the server has ever answered: a wrong address is reported at once. */
  #reached: boolean;
  #lostAt: number | undefined;
  #tries = 0;

  constructor(options: ReconnectOptions, reached: boolean) {
    this.#options = options;
    this.#timing = options.timing ?? REAL_TIMING;
    this.#reached = reached;
  }

  /** The stream brought a message; `progress` where it brought news. */
  received(progress: boolean): void {
    this.#reached = true;
    if (this.#lostAt !== undefined) this.#options.onFound?.();
    this.#lostAt = undefined;
    if (progress) this.#tries = 0;
  }

  /**
   * Waits until the stream may be opened again.
   * @throws the error, where another try is pointless or too late
   */
  async again(error: unknown): Promise<void> {
    const { signal, giveUpAfterMs = Infinity, onLost } = this.#options;
    if (signal?.aborted || !this.#reached || !isPassing(error)) throw error;
    if (this.#lostAt === undefined) {
      this.#lostAt = this.#timing.now();
      onLost?.(error);
    }
    const left = giveUpAfterMs - (this.#timing.now() - this.#lostAt);
    if (left <= 0) throw error;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries++, LONGEST_PAUSE_MS);
    const jittered = pause * (1 + this.#timing.random() / 2);
    const asked = readFailure(error).retryAfterMs ?? 0;
    await this.#timing.pause(Math.min(Math.max(jittered, asked), left), signal);
    if (signal?.aborted) throw error;
  }
}

/** Whether the same call may succeed soon. */
function isPassing(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  const { origin, code } = readFailure(error);
  if (origin === "api") return code === Code.Unavailable || code === Code.ResourceExhausted;
  // A stream that lacks its trailers was cut off by something on its way.
  return PASSING.has(origin) || code === Code.Unknown;
}

const REAL_TIMING: Timing = {
  now: () => performance.now(),
  random: Math.random,
  pause: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
      if (signal?.aborted) end();
    }),
};
