import { getLogger } from "@logtape/logtape";
import {
  type ErrorReason,
  type Event,
  type Instant,
  isMpcError,
  type MpcError,
  recordError,
} from "@mpc/domain";
import {
  type Clock,
  operationEvent,
  pagesOf,
  sleepUnlessAborted,
  updateDocument,
} from "@mpc/services";
import { CANCEL_REQUESTED, holdsResource, OPERATION_ADMITTED } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import type { HostedEngine } from "./hosted_engine.ts";
import { followLog } from "./follow_log.ts";
import { StrandedNotes } from "./stranded_notes.ts";

const log = getLogger(["mpc", "dispatcher"]);

/** The pause before a retry, and between two checks of the engine. */
const PAUSE_MS = 1_000;

/** The maximum number of orders that the engine handles at once. */
const AT_ONCE = 32;

interface Order {
  readonly action: "start" | "cancel";
  readonly operation: string;
}

/** Why an engine accepts no orders, and since when. */
export interface EngineOutage {
  /** The order that failed first. */
  readonly action: Order["action"];
  readonly since: Instant;
  readonly error: MpcError;
}

/**
 * Follows the event log, and tells the engine which operations to start and which to cancel. While
 * the engine is unreachable, operations wait with the reason on their records, and start in order
 * when it is back. Several dispatchers may follow the same log, because engines ignore repetitions.
 */
export class Dispatcher {
  readonly #store: Store;
  readonly #engine: HostedEngine;
  readonly #clock: Clock;
  readonly #stranded: StrandedNotes;
  readonly #stop = new AbortController();
  #orders: Order[] = [];
  #more = Promise.withResolvers<void>();
  #outage: EngineOutage | null = null;
  #running: Promise<unknown> | undefined;

  constructor(options: { store: Store; engine: HostedEngine; clock: Clock }) {
    this.#store = options.store;
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#stranded = new StrandedNotes(options);
  }

  /** Starts to follow the log. Admitted operations that have not begun are started first. */
  async start(): Promise<void> {
    const head = await this.#store.events.head();
    for (const operation of await this.#unbegun()) {
      this.#orders.push({ action: "start", operation });
    }
    const following = followLog(
      { store: this.#store, clock: this.#clock },
      head,
      this.#stop.signal,
      (event) => this.#take(event),
    );
    this.#running = Promise.all([
      following,
      this.#carry(),
      ...("problem" in this.#engine ? [this.#watchEngine()] : []),
    ]);
  }

  /** Null while the engine accepts orders. */
  get outage(): EngineOutage | null {
    return this.#outage;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#more.resolve();
    await this.#running;
  }

  /** The admitted operations of this engine that have not begun, oldest first. */
  async #unbegun(): Promise<readonly string[]> {
    const pages = pagesOf(this.#store.operations, {
      filter: {
        op: "and",
        terms: [
          { op: "=", path: ["state"], value: "PENDING" },
          { op: "=", path: ["engine"], value: this.#engine.name },
        ],
      },
      orderBy: [{ path: ["createTime"], descending: false }],
      limit: 1_000,
    });
    const names: string[] = [];
    for await (const page of pages) {
      for (const { value } of page) {
        if (await holdsResource(this.#store, value)) names.push(value.name);
      }
    }
    return names;
  }

  async #take({ reason, operation, resource }: Event): Promise<void> {
    if (operation === null) return;
    if (reason !== OPERATION_ADMITTED && reason !== CANCEL_REQUESTED) return;
    // Without a snapshot of the operation the engine finds out whether it is its own.
    if (resource?.kind === "operation" && resource.value.engine !== this.#engine.name) return;
    const action = reason === OPERATION_ADMITTED ? "start" : "cancel";
    this.#orders.push({ action, operation });
    this.#more.resolve();
    if (this.#outage && action === "start") await this.#noteWaiting(operation, this.#outage);
  }

  /**
   * Passes orders to the engine, oldest first. During an outage only the oldest start order is
   * tried, on behalf of all. Cancellations are still tried, because running operations may be
   * reachable.
   */
  async #carry(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = this.#next();
      if (next.length === 0) {
        await this.#more.promise;
        this.#more = Promise.withResolvers<void>();
        continue;
      }
      const taken = await Promise.all(next.map((order) => this.#hand(order)));
      const done = new Set(next.filter((_, index) => taken[index]));
      this.#orders = this.#orders.filter((order) => !done.has(order));
      if (taken.includes(false)) await sleepUnlessAborted(this.#clock, PAUSE_MS, this.#stop.signal);
    }
  }

  #next(): readonly Order[] {
    if (!this.#outage) return this.#orders.slice(0, AT_ONCE);
    const first = this.#orders.find(({ action }) => action === "start");
    return this.#orders.filter((order) => order === first || order.action === "cancel")
      .slice(0, AT_ONCE);
  }

  /** @returns false if the order must be tried again */
  async #hand(order: Order): Promise<boolean> {
    try {
      await this.#engine[order.action](order.operation);
      if (this.#outage?.action !== "start" || order.action === "start") this.#outage = null;
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      if (isMpcError(error) && error.reason.startsWith("ENGINE_")) {
        await this.#noteOutage(order.action, error);
        return false;
      }
      if (isMpcError(error, "UNAVAILABLE")) return false;
      // The engine rejects only this operation; the janitor tries it again.
      const { action, operation } = order;
      if (action === "start") {
        await this.#note(operation, `the engine rejects it: ${recordError(error).message}`);
      }
      log.error("Cannot {action} {operation}: {error}", {
        action,
        operation,
        error: recordError(error),
      });
      return true;
    }
  }

  /** Records problems of operations that the engine has already accepted. */
  async #watchEngine(): Promise<void> {
    let known: ErrorReason | undefined;
    while (!this.#stop.signal.aborted) {
      const error = this.#engine.problem;
      try {
        if (error && error.reason !== known) {
          const since = this.#outage?.since ?? this.#clock.now();
          const names = await this.#unbegun();
          await Promise.all(names.map((name) => this.#noteWaiting(name, { since, error })));
        }
        known = error?.reason;
        const { stranded } = this.#engine;
        if (stranded) await this.#stranded.keep(stranded, this.#stop.signal);
      } catch (error) {
        log.error("Cannot record which operations wait: {error}", { error: recordError(error) });
      }
      await sleepUnlessAborted(this.#clock, PAUSE_MS, this.#stop.signal);
    }
  }

  async #noteOutage(action: Order["action"], error: MpcError): Promise<void> {
    if (this.#outage?.error.reason === error.reason) return;
    const outage = { action, since: this.#clock.now(), error };
    this.#outage = outage;
    log.warn("The engine accepts no operations, they wait: {error}", {
      error: recordError(error),
    });
    const waiting = this.#orders.filter(({ action }) => action === "start");
    await Promise.all(waiting.map(({ operation }) => this.#noteWaiting(operation, outage)));
  }

  /** If several dispatchers find the same problem, the first one records it. */
  async #noteWaiting(
    name: string,
    { since, error }: Pick<EngineOutage, "since" | "error">,
  ): Promise<void> {
    const how = error.reason === "ENGINE_UNREACHABLE" ? "unreachable" : "unavailable";
    const waitingReason = `engine ${how} since ${new Date(since).toISOString()}: ${error.message}`;
    await this.#note(name, waitingReason, error.message);
  }

  /**
   * Writes why an operation does not begin.
   * @param known the part of the reason that does not change; with it the reason is written already
   */
  async #note(name: string, waitingReason: string, known = waitingReason): Promise<void> {
    const { signal } = this.#stop;
    try {
      await updateDocument(this.#store.operations, name, signal, (operation) => {
        const { state, engine, waitingReason: said } = operation;
        if (state !== "PENDING" || engine !== this.#engine.name) return undefined;
        if (said.endsWith(known)) return undefined;
        const time = this.#clock.now();
        return {
          value: { ...operation, waitingReason, updateTime: time },
          event: { reason: "OperationWaiting", message: waitingReason, time },
        };
      }, operationEvent);
    } catch (error) {
      // The operation waits in any case, or it is gone.
      if (signal.aborted || isMpcError(error, "NOT_FOUND")) return;
      log.error("Cannot record why {operation} waits: {error}", {
        operation: name,
        error: recordError(error),
      });
    }
  }
}
