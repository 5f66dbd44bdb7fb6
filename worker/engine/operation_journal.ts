import { type EventReason, isTerminal, type Operation } from "@mpc/domain";
import { operationEvent, updateDocument } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";

type Edit = (operation: Operation) => Operation;

/** One entry: what it changes, and the words of its event. */
export interface Note {
  /** Pure; what it hands back unchanged is not written. */
  readonly edit: Edit;
  readonly reason: EventReason;
  readonly message: string;
}

/**
 * The journal of one running operation: its record, written a step at a time.
 *
 * A cancellation mark that another process puts on the record is seen with the next write. What
 * has ended is never written again.
 */
export class OperationJournal {
  readonly #store: Store;
  readonly #onCancel: () => void;
  #stored: Stored<Operation>;
  #pending: Note[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(store: Store, stored: Stored<Operation>, onCancel: () => void = () => {}) {
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
   * Takes an entry that is written together with the next one. Good for the end of a step: until
   * the next step begins nothing depends on it, for a step can always be run twice.
   */
  defer(note: Note): void {
    this.#pending.push(note);
  }

  /** Writes an entry, and what was deferred before it; durable when it returns. */
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
    // A copy: entries that come during the write are left for the next one.
    const notes = [...this.#pending];
    if (notes.length === 0) return;
    const stored = await updateDocument(
      this.#store.operations,
      this.#stored.value.name,
      undefined,
      (operation) => isTerminal(operation.state) ? undefined : written(operation, notes),
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

/** The record with these entries, and one event that tells of those that changed it. */
function written(before: Operation, notes: readonly Note[]) {
  const told: Note[] = [];
  let value = before;
  for (const note of notes) {
    const next = note.edit(value);
    if (next !== value) told.push(note);
    value = next;
  }
  const last = told.at(-1);
  if (!last) return undefined;
  const message = told.map((note) => note.message).join("; ");
  return { value, event: { reason: last.reason, message, time: value.updateTime } };
}
