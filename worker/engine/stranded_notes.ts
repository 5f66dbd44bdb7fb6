import { getLogger } from "@logtape/logtape";
import {
  type Filter,
  isMpcError,
  isTerminal,
  type MpcError,
  type Operation,
  recordError,
} from "@mpc/domain";
import { type Clock, operationEvent, updateDocument } from "@mpc/services";
import type { Store } from "@mpc/storage";

const log = getLogger(["mpc", "dispatcher"]);

/** Operations that have begun and whose record gives a reason for waiting. */
const WAITING: Filter = {
  op: "and",
  terms: [
    {
      op: "or",
      terms: [
        { op: "=", path: ["state"], value: "RUNNING" },
        { op: "=", path: ["state"], value: "CANCELLING" },
      ],
    },
    { op: "!=", path: ["waitingReason"], value: "" },
  ],
};

/**
 * Keeps the reason on the record of each operation that has begun and that no worker can continue.
 */
export class StrandedNotes {
  readonly #store: Store;
  readonly #clock: Clock;
  #kept: ReadonlyMap<string, MpcError> | undefined;

  constructor(options: { readonly store: Store; readonly clock: Clock }) {
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /**
   * Writes the reasons that are new, and removes those of operations that continue: also the reasons
   * that other processes have written, which may be gone.
   */
  async keep(stranded: ReadonlyMap<string, MpcError>, signal: AbortSignal): Promise<void> {
    if (stranded === this.#kept) return;
    const noted = await this.#noted(signal);
    for (const [name, { message }] of stranded) {
      if (noted.get(name) !== message) await this.#write(name, message, signal);
    }
    for (const name of noted.keys()) {
      if (!stranded.has(name)) await this.#write(name, "", signal);
    }
    this.#kept = stranded;
  }

  /** The reasons on the records, by operation. */
  async #noted(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const page = await this.#store.operations.list({ filter: WAITING, limit: 1_000, signal });
    return new Map(page.items.map(({ value }) => [value.name, value.waitingReason]));
  }

  async #write(name: string, waitingReason: string, signal: AbortSignal): Promise<void> {
    const edit = (operation: Operation) => {
      if (isTerminal(operation.state) || operation.waitingReason === waitingReason) {
        return undefined;
      }
      // The update time stays: it tells since when no worker has continued the operation.
      return {
        value: { ...operation, waitingReason },
        event: {
          reason: waitingReason ? "OperationWaiting" as const : "OperationGoesOn" as const,
          message: waitingReason || "A worker that continues it is available again",
          time: this.#clock.now(),
        },
      };
    };
    try {
      await updateDocument(this.#store.operations, name, signal, edit, operationEvent);
    } catch (error) {
      if (signal.aborted || isMpcError(error, "NOT_FOUND")) return;
      log.error("Cannot record whether {operation} waits: {error}", {
        operation: name,
        error: recordError(error),
      });
    }
  }
}
