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

/** What has begun and says that it waits. */
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

/** Keeps on the records of begun operations why nobody goes on with them, while that is so. */
export class StrandedNotes {
  readonly #store: Store;
  readonly #clock: Clock;
  #noted: ReadonlySet<string> | undefined;

  constructor(options: { readonly store: Store; readonly clock: Clock }) {
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /** Notes what is new of these, and takes back what is no longer among them. */
  async keep(stranded: ReadonlyMap<string, MpcError>, signal: AbortSignal): Promise<void> {
    // What another process has noted before.
    const noted = this.#noted ?? await this.#waiting(signal);
    for (const [name, { message }] of stranded) {
      if (!noted.has(name)) await this.#write(name, message, signal);
    }
    for (const name of noted) {
      if (!stranded.has(name)) await this.#write(name, "", signal);
    }
    this.#noted = new Set(stranded.keys());
  }

  async #waiting(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const page = await this.#store.operations.list({ filter: WAITING, limit: 1_000, signal });
    return new Set(page.items.map(({ value }) => value.name));
  }

  async #write(name: string, waitingReason: string, signal: AbortSignal): Promise<void> {
    const edit = (operation: Operation) => {
      if (isTerminal(operation.state) || operation.waitingReason === waitingReason) {
        return undefined;
      }
      // Its update time stays: it tells since when nobody has worked on it.
      return {
        value: { ...operation, waitingReason },
        event: {
          reason: waitingReason ? "OperationWaiting" as const : "OperationGoesOn" as const,
          message: waitingReason || "There is a worker again that goes on with it",
          time: this.#clock.now(),
        },
      };
    };
    try {
      await updateDocument(this.#store.operations, name, signal, edit, operationEvent);
    } catch (error) {
      if (signal.aborted || isMpcError(error, "NOT_FOUND")) return;
      log.error("Cannot note whether {operation} waits: {error}", {
        operation: name,
        error: recordError(error),
      });
    }
  }
}
