import { abortedByCaller } from "@mpc/domain";
import { storeClosed, throwIfAborted } from "../shared/errors.ts";
import { isTransient, outcomeUnknown, storeError } from "./errors.ts";

/**
 * How long a call is repeated after transient errors, unless its caller gives up before. A replica
 * set has a new primary within 12 seconds ("Replica Set Elections", MongoDB manual).
 */
const PATIENCE_MS = 20_000;

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** What the driver is told of a call that only reads. */
export interface ReadLimits {
  /** Frees the connection of a caller that gives up. */
  readonly signal?: AbortSignal;
  /** Ends the query at the server, at about the time when the driver gives up its reply. */
  readonly maxTimeMS?: number;
}

/**
 * Makes the calls of one handle. A call that fails for a passing reason is repeated; a caller that
 * aborts is answered at once.
 */
export class Calls {
  readonly #patienceMs: number;
  readonly #replyMs: number;
  readonly #problem: () => unknown;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  /**
   * @param options.replyMs how long the driver waits for a reply; 0 for as long as it takes
   * @param options.problem why the server cannot be reached at present; undefined if it can
   */
  constructor(options: {
    readonly patienceMs: number | undefined;
    readonly replyMs?: number;
    readonly problem: () => unknown;
  }) {
    this.#replyMs = options.replyMs ?? 0;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#problem = options.problem;
  }

  get isOpen(): boolean {
    return !this.#closing.signal.aborted;
  }

  /** Rejects new calls, and waits for running writes. */
  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }

  /** Makes a call that changes nothing. If it is aborted, the cause says what it waited for. */
  async read<R>(
    signal: AbortSignal | undefined,
    run: (limits: ReadLimits) => Promise<R>,
  ): Promise<R> {
    this.#begin(signal);
    const limits = {
      ...(signal && { signal }),
      // Without it a server goes on with a query that nobody waits for, beside its repetition.
      ...(this.#replyMs > 0 && { maxTimeMS: this.#replyMs }),
    };
    const call = this.#track(this.retried(() => run(limits), signal));
    return await unlessAborted(call, signal, () => abortedByCaller("go on", this.#cause(signal)));
  }

  /**
   * Makes a write, unless it is aborted in the same turn. A write that was sent goes on without a
   * caller that aborts, who cannot know whether it was made.
   */
  async write<R>(
    name: string,
    signal: AbortSignal | undefined,
    run: () => Promise<R>,
  ): Promise<R> {
    this.#begin(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    const call = this.#track(run());
    return await unlessAborted(call, signal, () => outcomeUnknown(name, this.#cause(signal)));
  }

  /** Runs work that no caller waits for, which closing waits for. Its errors are the work's own. */
  background(work: () => Promise<void>): void {
    if (this.isOpen) this.#track(work());
  }

  /**
   * Repeats a call while it fails for passing reasons.
   * @param run gets the number of the attempt, from 0; the attempts before may have succeeded
   */
  async retried<R>(run: (attempt: number) => Promise<R>, signal?: AbortSignal): Promise<R> {
    const end = performance.now() + this.#patienceMs;
    for (let attempt = 0;; attempt++) {
      try {
        return await run(attempt);
      } catch (error) {
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) *
          (0.5 + Math.random());
        if (!isTransient(error) || signal?.aborted || performance.now() + pause > end) {
          throw storeError(error);
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  #cause(signal: AbortSignal | undefined): unknown {
    const problem = this.#problem();
    return problem === undefined ? signal?.reason : storeError(problem);
  }

  #begin(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (!this.isOpen) throw storeClosed();
  }

  #track<R>(call: Promise<R>): Promise<R> {
    this.#running.add(call);
    const ended = () => this.#running.delete(call);
    call.then(ended, ended);
    return call;
  }
}

/** The result of a call; rejects as soon as the signal is aborted. */
async function unlessAborted<R>(
  call: Promise<R>,
  signal: AbortSignal | undefined,
  aborted: () => Error,
): Promise<R> {
  if (!signal) return await call;
  const abort = Promise.withResolvers<never>();
  const onAbort = () => abort.reject(aborted());
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([call, abort.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
