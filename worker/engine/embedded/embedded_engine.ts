import { getLogger } from "@logtape/logtape";
import { isTerminal, type Operation, type OperationKind, recordError } from "@mpc/domain";
import type { Engine, EngineStatus, QueuedStep } from "@mpc/services";
import {
  type Definition,
  DEFINITIONS,
  holdsResource,
  orchestrate,
  orchestratedSteps,
} from "@mpc/services/sagas";
import type { Stored } from "@mpc/storage";
import { closeOperation } from "../close_operation.ts";
import { endOperation } from "../end_operation.ts";
import { isFault } from "../is_fault.ts";
import { OperationJournal } from "../operation_journal.ts";
import { settleWithoutLock } from "../settle_without_lock.ts";
import { inOperationTrace } from "../step_span.ts";
import { Slots } from "../../slots.ts";
import type { StepTools } from "../try_step.ts";
import { EmbeddedDriver, EngineStopped } from "./embedded_driver.ts";
import { engineInUse, type EngineLease } from "./engine_lease.ts";

const log = getLogger(["mpc", "engine"]);

export interface EmbeddedEngineOptions extends StepTools {
  /** Every operation kind; tests inject faults into them. */
  readonly definitions?: Readonly<Record<OperationKind, Definition>>;
  /** How many steps run at the same time, besides those that wait; 50 by default. */
  readonly concurrency?: number;
  /** The right to run operations, where several processes may open the store. */
  readonly lease?: EngineLease;
  /** Whose operations it runs; `embedded` by default. */
  readonly name?: string;
}

/** Enough to keep a cluster busy; with more, steps only wait for each other's requests. */
const CONCURRENCY = 50;

interface Execution {
  readonly cancel: AbortController;
  journal?: OperationJournal;
  /** The step that waits for a slot. */
  queued: string | null;
  ended?: Promise<void>;
}

/**
 * Runs operations in this process. Each finished step is in the operation's record before the next
 * one begins, so an operation continues where it was after the process was killed.
 */
export class EmbeddedEngine implements Engine {
  readonly name: string;
  readonly #options: EmbeddedEngineOptions;
  readonly #executions = new Map<string, Execution>();
  readonly #stop = new AbortController();
  readonly #slots: Slots;

  constructor(options: EmbeddedEngineOptions) {
    this.#options = options;
    this.name = options.name ?? "embedded";
    this.#slots = new Slots(options.concurrency ?? CONCURRENCY);
  }

  /** @throws {MpcError} FAILED_PRECONDITION `ENGINE_IN_USE` after the loss of the lease */
  start(operation: string): Promise<void> {
    if (this.#stop.signal.aborted || this.#executions.has(operation)) return Promise.resolve();
    const { lease } = this.#options;
    if (lease && lease.token === undefined) return Promise.reject(engineInUse());
    const execution: Execution = { cancel: new AbortController(), queued: null };
    this.#executions.set(operation, execution);
    execution.ended = this.#execute(operation, execution)
      .catch((error) => this.#stopped(operation, error))
      .finally(() => this.#executions.delete(operation));
    return Promise.resolve();
  }

  async cancel(operation: string): Promise<void> {
    const execution = this.#executions.get(operation);
    if (!execution) return await this.start(operation);
    await execution.journal?.refresh();
  }

  status(operation: string): Promise<EngineStatus> {
    return Promise.resolve({ state: this.#executions.has(operation) ? "running" : "absent" });
  }

  queued(operation: string): Promise<QueuedStep | undefined> {
    const step = this.#executions.get(operation)?.queued ?? null;
    const { taken: running, waiting } = this.#slots;
    return Promise.resolve(step === null ? undefined : { step, running, waiting });
  }

  /** The number of running operations. */
  get running(): number {
    return this.#executions.size;
  }

  /** Resolves when no operation runs. */
  async idle(): Promise<void> {
    while (this.#executions.size > 0) {
      await Promise.all([...this.#executions.values()].map(({ ended }) => ended));
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new EngineStopped("The engine is closing"));
    await this.idle();
  }

  /** After a failure of the store, the record is as journaled, and the janitor starts it again. */
  async #stopped(operation: string, error: unknown): Promise<void> {
    if (error instanceof EngineStopped || this.#stop.signal.aborted) return;
    const record = recordError(error);
    log.error("Operation {operation} stopped: {error}", { operation, error: record });
    if (!isFault(error)) return;
    try {
      await closeOperation(this.#options, operation, record);
    } catch (error) {
      log.error("Cannot end {operation}: {error}", { operation, error: recordError(error) });
    }
  }

  async #execute(name: string, execution: Execution): Promise<void> {
    const stored = await this.#options.store.operations.get(name);
    if (!stored || isTerminal(stored.value.state) || stored.value.engine !== this.name) return;
    const isResumed = stored.value.startTime !== null;
    await inOperationTrace(stored.value, { isResumed }, () => this.#continue(stored, execution));
  }

  async #continue(stored: Stored<Operation>, execution: Execution): Promise<void> {
    const { store, clock, lease } = this.#options;
    const token = lease?.token;
    // Attempts that run when the lease is lost are aborted: another process may continue them.
    const stop = lease ? AbortSignal.any([this.#stop.signal, lease.lost]) : this.#stop.signal;
    const definition = (this.#options.definitions ?? DEFINITIONS)[stored.value.kind];
    const journal = new OperationJournal(store, stored, () => execution.cancel.abort());
    execution.journal = journal;
    const tools = { store, clock, definition };
    if (!await holdsResource(store, stored.value)) return await settleWithoutLock(tools, journal);
    const driver = new EmbeddedDriver({
      ...this.#options,
      definition,
      journal,
      cancel: execution.cancel.signal,
      stop,
      slots: this.#slots,
      onQueued: (step) => execution.queued = step,
      mayBegin: () => lease?.token === token,
    });
    const outcome = await orchestrate(orchestratedSteps(definition), driver);
    await endOperation(tools, journal, outcome);
  }
}
