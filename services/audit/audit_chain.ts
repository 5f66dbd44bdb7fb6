import {
  AUDIT_NEWEST,
  AUDIT_REMOVED,
  type AuditEntry,
  type AuditHead,
  type AuditMark,
  type AuditRecord,
  isMpcError,
  MpcError,
  NO_AUDIT,
} from "@mpc/domain";
import { chained } from "@mpc/domain/audit_chain";
import type { Store } from "@mpc/storage";
import type { AuditSink, AuditTrail, Clock } from "../ports/mod.ts";

export type AuditStore = Pick<Store, "audit" | "auditMarks">;

export interface AuditChainOptions {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly sink?: AuditSink;
  /** Called when the mark of the newest record could not be written; the log itself is whole. */
  readonly onMarkFailed?: (error: unknown) => void;
}

interface Job {
  readonly entry: AuditEntry;
  readonly done: PromiseWithResolvers<AuditRecord>;
}

/** How many records are appended at once. */
const MAX_BATCH = 256;

/**
 * How long the known end of the log is good for an append. After longer, retention may have removed
 * what others have appended there, and the place would look free.
 */
const HEAD_IS_GOOD_FOR_MS = 60_000;

/**
 * Appends records to the log, each with the hash of the record before. A record is appended under the
 * next sequence: if another process has taken it, the record is linked again to what is there. What
 * is requested while an append is under way is appended together next.
 */
export class AuditChain implements AuditTrail, AsyncDisposable {
  readonly #options: AuditChainOptions;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  #marking: Promise<void> | undefined;
  #head: { readonly at: AuditHead; readonly wall: number; readonly monotonic: number } | undefined;
  #appended = Promise.withResolvers<void>();

  constructor(options: AuditChainOptions) {
    this.#options = options;
  }

  append(entry: AuditEntry): Promise<AuditRecord> {
    const done = Promise.withResolvers<AuditRecord>();
    this.#queue.push({ entry, done });
    this.#running ??= Promise.resolve().then(() => this.#drain());
    return done.promise;
  }

  appended(): Promise<void> {
    return this.#appended.promise;
  }

  /** Finishes what was requested. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#running || this.#marking) await Promise.all([this.#running, this.#marking]);
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const jobs = this.#queue.splice(0, MAX_BATCH);
      try {
        await this.#appendAll(jobs);
      } catch (error) {
        this.#head = undefined;
        for (const { done } of jobs) done.reject(auditUnavailable(error));
      }
    }
    this.#running = undefined;
  }

  async #appendAll(jobs: readonly Job[]): Promise<void> {
    const { store, clock, sink } = this.#options;
    for (let missing = jobs; missing.length > 0;) {
      const records: AuditRecord[] = [];
      let head = await this.#currentHead();
      const time = clock.now();
      for (const { entry } of missing) {
        const record = chained(head, entry, time);
        records.push(record);
        head = record;
      }
      const count = await store.audit.append(records);
      const added = records.slice(0, count);
      const last = added.at(-1);
      if (last && count === records.length) this.#setHead(last);
      else this.#head = undefined; // Another process has appended.
      for (const [index, record] of added.entries()) {
        missing[index]!.done.resolve(record);
        sink?.write(record);
      }
      if (last) this.#tell(last);
      missing = missing.slice(count);
    }
  }

  /** The end of the log; a mark after the newest record says that records are missing before it. */
  async #currentHead(): Promise<AuditHead> {
    const { store, clock } = this.#options;
    const known = this.#head;
    if (known) {
      // The monotonic clock stands still while the machine sleeps; the wall clock may step back.
      const age = Math.max(clock.monotonic() - known.monotonic, clock.now() - known.wall);
      if (age < HEAD_IS_GOOD_FOR_MS) return known.at;
    }
    const positions = await Promise.all([
      store.audit.list({ orderBy: [{ path: ["name"], descending: true }], limit: 1 })
        .then(({ items: [last] }) => last?.value),
      ...[AUDIT_NEWEST, AUDIT_REMOVED].map(async (name) =>
        (await store.auditMarks.get(name))?.value
      ),
    ]);
    return positions.reduce<AuditHead>(
      (last, each) => each && each.sequence > last.sequence ? each : last,
      NO_AUDIT,
    );
  }

  #setHead({ sequence, hash }: AuditHead): void {
    const { clock } = this.#options;
    const at = { sequence, hash };
    this.#head = { at, wall: clock.now(), monotonic: clock.monotonic() };
  }

  #tell(last: AuditHead): void {
    this.#marking ??= this.#mark(last);
    const { resolve } = this.#appended;
    this.#appended = Promise.withResolvers();
    resolve();
  }

  /** Marks the newest record, so that a log that was cut off is found; no caller waits for it. */
  async #mark({ sequence, hash }: AuditHead): Promise<void> {
    try {
      await advanceMark(this.#options.store.auditMarks, { name: AUDIT_NEWEST, sequence, hash });
    } catch (error) {
      this.#options.onMarkFailed?.(error);
    }
    this.#marking = undefined;
    const head = this.#head?.at;
    if (head && head.sequence > sequence) this.#marking = this.#mark(head);
  }
}

/** Moves a mark forward, unless another process has moved it further. */
export async function advanceMark(
  marks: AuditStore["auditMarks"],
  mark: AuditMark,
): Promise<void> {
  for (;;) {
    const found = await marks.get(mark.name);
    if (found && found.value.sequence >= mark.sequence) return;
    try {
      if (found) await marks.replace(mark, found.version);
      else await marks.create(mark);
      return;
    } catch (error) {
      // The loop ends: each lost round means that another process has moved it forward.
      if (!isMpcError(error, "ABORTED", "ALREADY_EXISTS")) throw error;
    }
  }
}

/** The store's own reasons say what to do, so they stay: `STORE_FULL`, `STORE_LOCKED`, … */
const auditUnavailable = (cause: unknown): MpcError =>
  isMpcError(cause) && cause.reason.startsWith("STORE_") ? cause : unkept(cause);

const unkept = (cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "AUDIT_UNAVAILABLE",
    message: "Cannot take the call: its audit record cannot be kept",
    cause,
  });
