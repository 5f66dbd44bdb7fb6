import { setTimeout } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import type { Collection } from "mongodb";
import type { Block } from "./block_chain.ts";

const log = getLogger(["mpc", "storage"]);

/** The pause before a change stream that ended is opened again. */
const REOPEN_MS = 30_000;

/** Only the arrival counts: readers read the block itself, in the order of the log. */
const INSERTS = [{ $match: { operationType: "insert" } }, { $project: { _id: 1 } }];

/**
 * Reports new blocks by a change stream, which replica sets and sharded clusters have ("Change
 * Streams", MongoDB manual). The driver resumes it after errors that pass. While it is not open,
 * readers must look for blocks themselves.
 */
export class BlockArrivals {
  readonly #blocks: Pick<Collection<Block>, "watch">;
  readonly #onArrival: () => void;
  #isOpen = false;

  constructor(blocks: Pick<Collection<Block>, "watch">, onArrival: () => void) {
    this.#blocks = blocks;
    this.#onArrival = onArrival;
  }

  /** Whether every block that is appended from now on is reported. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Follows the change stream until it is aborted, and opens it again where it ends before. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#followOnce(signal);
      await setTimeout(REOPEN_MS, undefined, { signal }).catch((error) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  async #followOnce(signal: AbortSignal): Promise<void> {
    const stream = this.#blocks.watch(INSERTS);
    const close = () => stream.close().catch((error) => log.debug("{error}", { error }));
    signal.addEventListener("abort", close, { once: true });
    try {
      // Returns soon, also without an arrival, once the server has opened the stream.
      await stream.tryNext();
      for (; !signal.aborted; await stream.next()) {
        this.#isOpen = true;
        this.#onArrival();
      }
    } catch (error) {
      // Closing ends the stream with an error too.
      if (!signal.aborted) log.info("The change stream of the log ended: {error}", { error });
    } finally {
      this.#isOpen = false;
      signal.removeEventListener("abort", close);
      await close();
    }
  }
}
