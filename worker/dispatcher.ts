import { getLogger } from "@logtape/logtape";
import { type Event, type Instant, isMpcError, type MpcError, recordError } from "@mpc/domain";
import { type Clock, type Engine, operationEvent, updateDocument } from "@mpc/services";
import { CANCEL_REQUESTED, holdsResource, OPERATION_ADMITTED } from "@mpc/services/operations";
import type { Store } from "@mpc/storage";
import { followLog, pause } from "./follow_log.ts";

const log = getLogger(["mpc", "dispatcher"]);

/** How many orders are with the engine at the same time. */
const AT_ONCE = 32;

interface Order {
  readonly action: "start" | "cancel";
  readonly operation: string;
}

/** Since when, and why, an engine takes no orders. */
export interface EngineOutage {
  readonly since: Instant;
  readonly error: MpcError;
}

/**
 * Follows the event log and tells the engine what was admitted and what is to be cancelled. While
 * the engine cannot be reached, operations wait with the reason on their records, and begin in
 * order when it is back. Several may follow the same log: engines do nothing twice.
 */
export class Dispatcher {
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #orders: Order[] = [];
  #more = Promise.withResolvers<void>();
  #outage: EngineOutage | null = null;
  #running: Promise<unknown> | undefined;

  constructor(options: { store: Store; engine: Engine; clock: Clock }) {
    this.#store = options.store;
    this.#engine = options.engine;
    this.#clock = options.clock;
  }

  /** Begins to follow; what was admitted before and has not begun is started first. */
  async start(): Promise<void> {
    const head = await this.#store.events.head();
    await this.#takeUnbegun();
    const following = followLog(
      { store: this.#store, clock: this.#clock },
      head,
      this.#stop.signal,
      (event) => this.#take(event),
    );
    this.#running = Promise.all([following, this.#carry()]);
  }

  /** Null while the engine takes orders. */
  get outage(): EngineOutage | null {
    return this.#outage;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#more.resolve();
    await this.#running;
  }

  async #takeUnbegun(): Promise<void> {
    const pending = await this.#store.operations.list({
      filter: { op: "=", path: ["state"], value: "PENDING" },
      orderBy: [{ path: ["createTime"], descending: false }],
      limit: 1_000,
    });
    for (const { value } of pending.items) {
      if (value.engine !== this.#engine.name) continue;
      if (!await holdsResource(this.#store, value)) continue;
      this.#orders.push({ action: "start", operation: value.name });
    }
  }

  async #take({ reason, operation }: Event): Promise<void> {
    if (operation === null) return;
    if (reason !== OPERATION_ADMITTED && reason !== CANCEL_REQUESTED) return;
    const action = reason === OPERATION_ADMITTED ? "start" : "cancel";
    this.#orders.push({ action, operation });
    this.#more.resolve();
    if (this.#outage && action === "start") await this.#noteWaiting(operation, this.#outage);
  }

  /** Hands orders on, the oldest first; while there is an outage, only the oldest tries. */
  async #carry(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = this.#orders.slice(0, this.#outage ? 1 : AT_ONCE);
      if (next.length === 0) {
        await this.#more.promise;
        this.#more = Promise.withResolvers<void>();
        continue;
      }
      const taken = await Promise.all(next.map((order) => this.#hand(order)));
      this.#orders = this.#orders.filter((_, index) => taken[index] !== true);
      if (taken.includes(false)) await pause(this.#clock, this.#stop.signal);
    }
  }

  /** @returns false where the order is to be tried again */
  async #hand(order: Order): Promise<boolean> {
    try {
      await this.#engine[order.action](order.operation);
      this.#outage = null;
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      if (isMpcError(error) && error.reason.startsWith("ENGINE_")) {
        await this.#noteOutage(error);
        return false;
      }
      if (isMpcError(error, "UNAVAILABLE")) return false;
      // The janitor tries again what only this operation is refused for.
      const { action, operation } = order;
      log.error("Cannot {action} {operation}: {error}", {
        action,
        operation,
        error: recordError(error),
      });
      return true;
    }
  }

  async #noteOutage(error: MpcError): Promise<void> {
    if (this.#outage) return;
    const outage = { since: this.#clock.now(), error };
    this.#outage = outage;
    log.warn("The engine takes no orders, operations wait: {error}", {
      error: recordError(error),
    });
    const waiting = this.#orders.filter(({ action }) => action === "start");
    await Promise.all(waiting.map(({ operation }) => this.#noteWaiting(operation, outage)));
  }

  /** Of several dispatchers the first says it. */
  async #noteWaiting(name: string, { since, error }: EngineOutage): Promise<void> {
    const { signal } = this.#stop;
    const waitingReason = `engine unreachable since ${
      new Date(since).toISOString()
    }: ${error.message}`;
    try {
      await updateDocument(this.#store.operations, name, signal, (operation) => {
        if (operation.state !== "PENDING" || operation.waitingReason !== "") return undefined;
        const time = this.#clock.now();
        return {
          value: { ...operation, waitingReason, updateTime: time },
          event: { reason: "OperationWaiting", message: waitingReason, time },
        };
      }, operationEvent);
    } catch (error) {
      // It waits all the same, or is gone.
      if (signal.aborted || isMpcError(error, "NOT_FOUND")) return;
      log.error("Cannot note why {operation} waits: {error}", {
        operation: name,
        error: recordError(error),
      });
    }
  }
}
