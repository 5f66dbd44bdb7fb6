import { type EventReason, isTerminal, type Operation } from "@mpc/domain";
import { operationEvent, updateDocument } from "@mpc/services";
import type { Store, Stored } from "@mpc/storage";

type Edit = (operation: Operation) => Operation;

/** One entry: its change to the record, and the text of its event. */
export interface Note {
  /** Pure. If it returns its argument unchanged, nothing is written. */
  readonly edit: Edit;
  readonly reason: EventReason;
  readonly message: string;
}

/**
 * The journal of one running operation: its record, written step by step.
 *
 * Each write also reads a cancellation mark that another process has put on the record. An
 * operation that has ended is never written again.
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

  /** The record, including entries that are not written yet. */
  get operation(): Operation {
    return this.#pending.reduce((operation, note) => note.edit(operation), this.#stored.value);
  }

  /**
   * Adds an entry that is written together with the next one. Meant for the end of a step: nothing
   * depends on it until the next step begins, because every step can be run twice.
   */
  defer(note: Note): void {
    this.#pending.push(note);
  }

  /** Writes an entry, and the deferred entries before it. They are durable when it returns. */
  record(note: Note): Promise<void> {
    this.#pending.push(note);
    return this.flush();
  }

  /** Writes the deferred entries. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#write());
    // A failed write fails its caller; the next write includes everything that is still pending.
    this.#writing = written.then(() => undefined, () => undefined);
    return written;
  }

  /** Reads the record again, to see a cancellation mark. */
  async refresh(): Promise<void> {
    const latest = await this.#store.operations.get(this.#stored.value.name);
    if (latest && latest.version > this.#stored.version) this.#take(latest);
  }

  async #write(): Promise<void> {
    // A copy: entries that are added during the write are left for the next one.
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

/** The record with these entries, and one event about the entries that changed it. */
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
