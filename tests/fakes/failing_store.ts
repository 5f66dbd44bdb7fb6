import { MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { Collection, OperationCollection, Store } from "@mpc/storage";

/**
 * What goes wrong with one write:
 * - `crash`: the process dies before it; nothing is read or written afterwards
 * - `refused`: it is not made, the store reports that, and later ones succeed
 * - `answer lost`: it is made, but the store reports that it is unreachable; later ones succeed
 * - `late`: it is made, but after every grace period, when others have given it up
 */
export const WRITE_FAULTS = ["crash", "refused", "answer lost", "late"] as const;

/** How late, on the test's clock; an admission counts as interrupted after 10 s. */
export const LATE_MS = 25_000;

export type WriteFault = (typeof WRITE_FAULTS)[number];

/** A store that counts writes and makes one of them fail. */
export class FailingStore implements Store {
  readonly #store: Store;
  readonly #clock: Clock;
  #writes = 0;
  #fault:
    | { readonly at: number; readonly fault: WriteFault; readonly lateMs: number }
    | undefined;
  #hook: { readonly at: number; readonly run: () => void } | undefined;
  #dead = false;

  readonly environments: Store["environments"];
  readonly workloads: Store["workloads"];
  readonly revisions: Store["revisions"];
  readonly operations: OperationCollection;
  readonly orphans: Store["orphans"];
  readonly claims: Store["claims"];
  readonly leases: Store["leases"];
  readonly tokens: Store["tokens"];
  readonly installations: Store["installations"];
  readonly audit: Store["audit"];
  readonly auditMarks: Store["auditMarks"];
  readonly eventSinks: Store["eventSinks"];
  readonly deadLetters: Store["deadLetters"];
  readonly events: Store["events"];

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.environments = this.#wrap(store.environments);
    this.workloads = this.#wrap(store.workloads);
    this.revisions = this.#wrap(store.revisions);
    this.orphans = this.#wrap(store.orphans);
    this.claims = this.#wrap(store.claims);
    this.leases = this.#wrap(store.leases);
    this.tokens = this.#wrap(store.tokens);
    this.eventSinks = this.#wrap(store.eventSinks);
    this.deadLetters = this.#wrap(store.deadLetters);
    this.installations = this.#wrap(store.installations);
    this.operations = {
      ...this.#wrap(store.operations),
      findByRequestId: (...call) => this.#read(() => store.operations.findByRequestId(...call)),
    };
    this.audit = store.audit;
    this.auditMarks = store.auditMarks;
    this.events = store.events;
  }

  /** Writes since the last call of {@linkcode plan}. */
  get writes(): number {
    return this.#writes;
  }

  /** Makes write number `at` fail, counted from 1 from now on. */
  plan(fault: WriteFault, at: number, lateMs = LATE_MS): void {
    this.#writes = 0;
    this.#fault = { at, fault, lateMs };
  }

  /** Calls `run` when this many writes, counted from now on, have been requested. */
  when(at: number, run: () => void): void {
    this.#writes = 0;
    this.#hook = { at, run };
  }

  /** From now on everything works. */
  heal(): void {
    this.#dead = false;
    this.#fault = undefined;
    this.#hook = undefined;
  }

  assertWritable(): Promise<void> {
    return this.#read(() => this.#store.assertWritable?.() ?? Promise.resolve());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #wrap<T extends { readonly name: string }>(collection: Collection<T>): Collection<T> {
    return {
      create: (...call) => this.#write(() => collection.create(...call)),
      replace: (...call) => this.#write(() => collection.replace(...call)),
      delete: (...call) => this.#write(() => collection.delete(...call)),
      get: (...call) => this.#read(() => collection.get(...call)),
      list: (...call) => this.#read(() => collection.list(...call)),
      count: (...call) => this.#read(() => collection.count(...call)),
    };
  }

  #read<R>(read: () => Promise<R>): Promise<R> {
    return this.#dead ? Promise.reject(unavailable()) : read();
  }

  async #write<R>(write: () => Promise<R>): Promise<R> {
    if (this.#dead) throw unavailable();
    const number = ++this.#writes;
    if (this.#hook?.at === number) this.#hook.run();
    const { fault, lateMs = 0 } = this.#fault?.at === number ? this.#fault : {};
    if (fault === "crash") this.#dead = true;
    if (fault === "crash" || fault === "refused") throw unavailable();
    if (fault === "late") await this.#clock.sleep(lateMs);
    const result = await write();
    if (fault === "answer lost") throw unavailable();
    return result;
  }
}

function unavailable(): MpcError {
  return new MpcError("UNAVAILABLE", {
    reason: "STORE_UNAVAILABLE",
    message: "the store cannot be reached: an injected fault",
  });
}
