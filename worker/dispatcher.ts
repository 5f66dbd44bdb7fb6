import { getLogger } from "@logtape/logtape";
import { type Event, isMpcError, recordError } from "@mpc/domain";
import type { Clock, Engine } from "@mpc/services";
import { CANCEL_REQUESTED, OPERATION_ADMITTED } from "@mpc/services/operations";
import type { Store } from "@mpc/storage";

const log = getLogger(["mpc", "dispatcher"]);

/** The pause before the log is followed again after a failure. */
const PAUSE_MS = 1_000;

/**
 * Follows the event log and tells the engine what was admitted and what is to be cancelled. What
 * happened while nobody followed is the janitor's.
 */
export class Dispatcher {
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #following: Promise<void> | undefined;

  constructor(options: { store: Store; engine: Engine; clock: Clock }) {
    this.#store = options.store;
    this.#engine = options.engine;
    this.#clock = options.clock;
  }

  /** Begins to follow; what is admitted from now on is started. */
  async start(): Promise<void> {
    const head = await this.#store.events.head();
    this.#following = this.#follow(head);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(head: number): Promise<void> {
    let cursor = head;
    while (!this.#stop.signal.aborted) {
      try {
        for await (const event of this.#store.events.tail(cursor, this.#stop.signal)) {
          await this.#dispatch(event);
          cursor = event.sequence;
        }
      } catch (error) {
        if (this.#stop.signal.aborted || isMpcError(error, "UNAVAILABLE")) return;
        log.error("Cannot follow the log: {error}", { error: recordError(error) });
        cursor = isMpcError(error, "OUT_OF_RANGE") ? await this.#store.events.head() : cursor;
        await this.#pause();
      }
    }
  }

  async #dispatch(event: Event): Promise<void> {
    if (event.operation === null) return;
    if (event.reason === OPERATION_ADMITTED) await this.#engine.start(event.operation);
    if (event.reason === CANCEL_REQUESTED) await this.#engine.cancel(event.operation);
  }

  async #pause(): Promise<void> {
    try {
      await this.#clock.sleep(PAUSE_MS, this.#stop.signal);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}
