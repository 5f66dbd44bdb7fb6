import type { Operation } from "@mpc/domain";
import { operationEvent, updateDocument } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";

type Edit = (operation: Operation) => Operation;

interface Note {
  readonly edit: Edit;
  readonly reason: string;
  readonly message: string;
}

/**
 * The journal of one running operation: its record, written a step at a time.
 *
 * A cancellation mark that another process puts on the record is seen with the next write.
 */
export class OperationJournal {
  readonly #store: Store;
  readonly #onCancel: () => void;
  #stored: Stored<Operation>;
  #pending: Note[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(store: Store, stored: Stored<Operation>, onCancel: () => void) {
    this.#store = store;
    this.#stored = stored;
    this.#onCancel = onCancel;
    if (stored.value.cancellation) onCancel();
  }

  /** The record, with what is still to be written. */
  get operation(): Operation {
    return this.#pending.reduce((operation, note) => note.edit(operation), this.#stored.value);
  }

  /**
   * Takes an edit that is written together with the next one. Good for the end of a step: until
   * the next step begins nothing depends on it, for a step can always be run twice.
   */
  defer(note: Note): void {
    this.#pending.push(note);
  }

  /** Writes an edit, and what was deferred before it; durable when it returns. */
  record(note: Note): Promise<void> {
    this.#pending.push(note);
    return this.flush();
  }

  /** Writes what was deferred. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#write());
    // A failed write fails its caller; the next one tries again with all that is pending.
    this.#writing = written.then(() => undefined, () => undefined);
    return written;
  }

  /** Reads the record again, to see a cancellation mark. */
  async refresh(): Promise<void> {
    const latest = await this.#store.operations.get(this.#stored.value.name);
    if (latest && latest.version > this.#stored.version) this.#take(latest);
  }

  async #write(): Promise<void> {
    const notes = this.#pending;
    if (notes.length === 0) return;
    const last = notes[notes.length - 1]!;
    const message = notes.map((note) => note.message).join("; ");
    const stored = await updateDocument(
      this.#store.operations,
      this.#stored.value.name,
      undefined,
      (operation) => {
        const value = notes.reduce((current, note) => note.edit(current), operation);
        return value === operation ? undefined : {
          value,
          event: { reason: last.reason, message, time: value.updateTime },
        };
      },
      operationEvent,
      this.#stored,
    );
    this.#pending = this.#pending.slice(notes.length);
    this.#take(stored);
  }

  #take(stored: Stored<Operation>): void {
    const marked = stored.value.cancellation !== null && this.#stored.value.cancellation === null;
    this.#stored = stored;
    if (marked) this.#onCancel();
  }
}
