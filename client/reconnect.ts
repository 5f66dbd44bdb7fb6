import { Code, ConnectError } from "@connectrpc/connect";
import { type FailureOrigin, readFailure } from "./errors.ts";
import { pause } from "./pause.ts";

/** The clock of pauses; fake in tests. */
export interface Timing {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Resolves after a time, or at once when the signal is aborted. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** A random number in [0, 1). */
  random(): number;
}

/** How to handle a server that is unreachable. */
export interface ReconnectOptions {
  /** Stops following. */
  readonly signal?: AbortSignal | undefined;
  /** How long the server may be unreachable before following fails; without limit by default. */
  readonly giveUpAfterMs?: number | undefined;
  /** Called once when the connection is lost, until it is back. */
  readonly onLost?: ((error: ConnectError) => void) | undefined;
  /** Called when a lost connection is back. */
  readonly onFound?: (() => void) | undefined;
  /** Whether the same call may succeed soon; by default after everything that a restart can cause. */
  readonly isPassing?: ((error: ConnectError) => boolean) | undefined;
  readonly timing?: Timing | undefined;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** A stream that lives shorter before it is refused again was not accepted with its new token. */
const REFUSED_AGAIN_MS = 1_500;

/** Origins of errors that a restart of the server may cause. */
const PASSING: ReadonlySet<FailureOrigin> = new Set([
  "timeout",
  "refused",
  "unknown_host",
  "unreachable",
  "broken",
  "unavailable",
]);

/** Decides whether and when an ended stream is opened again: exponential backoff with jitter. */
export class Reconnect {
  readonly #options: ReconnectOptions;
  readonly #timing: Timing;
  /** Whether the server has ever answered; if not, errors are reported at once. */
  #reached: boolean;
  #lostAt: number | undefined;
  /** When the server last ended the stream because of the caller's credentials. */
  #refusedAt = -Infinity;
  #tries = 0;

  constructor(options: ReconnectOptions, reached: boolean) {
    this.#options = options;
    this.#timing = options.timing ?? REAL_TIMING;
    this.#reached = reached;
  }

  /** The stream delivered a message; `progress` says whether it was new. */
  received(progress: boolean): void {
    this.#reached = true;
    if (this.#lostAt !== undefined) this.#options.onFound?.();
    this.#lostAt = undefined;
    if (progress) this.#tries = 0;
  }

  /**
   * Waits until the stream may be opened again.
   * @throws the error, if another attempt is pointless or too late
   */
  async again(error: unknown): Promise<void> {
    const { signal, giveUpAfterMs = Infinity, onLost, isPassing = mayPass } = this.#options;
    if (signal?.aborted || !this.#reached) throw error;
    if (!(error instanceof ConnectError)) throw error;
    if (this.#mayHaveNewToken(error)) return;
    if (!isPassing(error)) throw error;
    if (this.#lostAt === undefined) {
      this.#lostAt = this.#timing.now();
      onLost?.(error);
    }
    const left = giveUpAfterMs - (this.#timing.now() - this.#lostAt);
    if (left <= 0) throw error;
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries++, LONGEST_PAUSE_MS);
    const jittered = backoff * (1 + this.#timing.random() / 2);
    const asked = readFailure(error).retryAfterMs ?? 0;
    await this.#timing.pause(Math.min(Math.max(jittered, asked), left), signal);
    if (signal?.aborted) throw error;
  }

  /**
   * Whether a stream that ended because its token is no longer valid is opened again, which asks for
   * another token. One that is refused at once has none.
   */
  #mayHaveNewToken(error: ConnectError): boolean {
    const { origin, code } = readFailure(error);
    if (origin !== "api" || code !== Code.Unauthenticated) return false;
    const now = this.#timing.now();
    const isFirst = now - this.#refusedAt > REFUSED_AGAIN_MS;
    this.#refusedAt = now;
    return isFirst;
  }
}

/**
 * Runs a follower's calls with a signal that is aborted when its reader stops. Connect's streams do
 * not notice that, and would stay open.
 */
export async function* untilReaderStops<T>(
  signal: AbortSignal | undefined,
  follow: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const stopped = new AbortController();
  try {
    yield* follow(signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal);
  } finally {
    stopped.abort();
  }
}

function mayPass(error: ConnectError): boolean {
  const { origin, code } = readFailure(error);
  if (origin === "api") return code === Code.Unavailable || code === Code.ResourceExhausted;
  // A stream without trailers was cut off on the way.
  return PASSING.has(origin) || code === Code.Unknown;
}

const REAL_TIMING: Timing = { now: () => performance.now(), random: Math.random, pause };
