import { getLogger } from "@logtape/logtape";
import { isTerminal, MpcError, type Operation, type OperationKind, recordError } from "@mpc/domain";
import type { Clock, Engine, Ids, Provider } from "@mpc/services";
import {
  type Definition,
  DEFINITIONS,
  dropWaiting,
  finish,
  holdsResource,
  orchestrate,
  type Outcome,
  releaseResource,
} from "@mpc/services/operations";
import type { Store } from "@mpc/storage";
import { EmbeddedDriver, EngineStopped } from "./embedded_driver.ts";
import { OperationJournal } from "./operation_journal.ts";

const log = getLogger(["mpc", "engine"]);

export interface EmbeddedEngineOptions {
  readonly store: Store;
  readonly provider: Provider;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Every operation kind; tests put faults into them. */
  readonly definitions?: Readonly<Record<OperationKind, Definition>>;
}

interface Execution {
  readonly cancel: AbortController;
  journal?: OperationJournal;
  ended?: Promise<void>;
}

/**
 * Runs operations in this process. Each finished step is in the operation's record before the
 * next one begins, so a killed process goes on where it was.
 */
export class EmbeddedEngine implements Engine {
  readonly name = "embedded";
  readonly #options: EmbeddedEngineOptions;
  readonly #executions = new Map<string, Execution>();
  readonly #stop = new AbortController();

  constructor(options: EmbeddedEngineOptions) {
    this.#options = options;
  }

  start(operation: string): Promise<void> {
    if (this.#stop.signal.aborted || this.#executions.has(operation)) return Promise.resolve();
    const execution: Execution = { cancel: new AbortController() };
    this.#executions.set(operation, execution);
    execution.ended = this.#execute(operation, execution).catch((error) => {
      // The record is as it was journaled; the janitor starts the operation again.
      if (error instanceof EngineStopped || this.#stop.signal.aborted) return;
      log.error("Operation {operation} stopped: {error}", { operation, error: recordError(error) });
    }).finally(() => this.#executions.delete(operation));
    return Promise.resolve();
  }

  async cancel(operation: string): Promise<void> {
    const execution = this.#executions.get(operation);
    if (!execution) return await this.start(operation);
    await execution.journal?.refresh();
  }

  isRunning(operation: string): Promise<boolean> {
    return Promise.resolve(this.#executions.has(operation));
  }

  /** How many operations are under way. */
  get running(): number {
    return this.#executions.size;
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#executions.size > 0) {
      await Promise.all([...this.#executions.values()].map(({ ended }) => ended));
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new EngineStopped("The engine is closing"));
    await this.idle();
  }

  async #execute(name: string, execution: Execution): Promise<void> {
    const { store } = this.#options;
    const stored = await store.operations.get(name);
    if (!stored || isTerminal(stored.value.state)) return;
    const operation = stored.value;
    const definition = (this.#options.definitions ?? DEFINITIONS)[operation.kind];
    const journal = new OperationJournal(store, stored, () => execution.cancel.abort());
    execution.journal = journal;
    if (!await holdsResource(store, operation)) {
      return await this.#withoutResource(operation, definition, journal);
    }
    const driver = this.#driver(definition, journal, execution.cancel.signal);
    const outcome = await orchestrate(orchestrated(definition), driver);
    await journal.flush();
    await releaseResource(store, journal.operation, outcome, this.#options.clock.now());
    await this.#finish(journal, outcome, driver);
  }

  /**
   * An operation without its resource has either not got it yet, or a killed process let go of it
   * just before the operation's end was written.
   */
  async #withoutResource(
    operation: Operation,
    definition: Definition,
    journal: OperationJournal,
  ): Promise<void> {
    const { store, clock } = this.#options;
    if (operation.startTime === null) {
      if (!operation.cancellation) return;
      await dropWaiting(store, operation, clock.now());
      return await this.#finish(journal, { state: "CANCELLED", error: null, stuck: [] });
    }
    const never = () => {
      throw new MpcError("INTERNAL", {
        reason: "LOST_RESOURCE",
        message: `Cannot go on with '${operation.name}': it does not hold '${operation.target}'`,
      });
    };
    const driver = this.#driver(definition, journal, new AbortController().signal);
    try {
      const outcome = await orchestrate(orchestrated(definition), {
        runStep: (step) => isSettled(operation, step.name) ? driver.runStep(step) : never(),
        undoStep: (step) => isUndone(operation, step.name) ? driver.undoStep(step) : never(),
      });
      await this.#finish(journal, outcome, driver);
    } catch (error) {
      const record = recordError(error);
      await this.#finish(journal, { state: "FAILED", error: record, stuck: [] });
    }
  }

  #driver(
    definition: Definition,
    journal: OperationJournal,
    cancel: AbortSignal,
  ): EmbeddedDriver {
    return new EmbeddedDriver({
      ...this.#options,
      definition,
      journal,
      cancel,
      stop: this.#stop.signal,
    });
  }

  async #finish(
    journal: OperationJournal,
    outcome: Outcome,
    driver?: EmbeddedDriver,
  ): Promise<void> {
    const { clock } = this.#options;
    const residue = driver?.residueOf(outcome.stuck) ?? [];
    await journal.record({
      edit: (operation) => finish(operation, outcome, residue, clock.now()),
      reason: `Operation${camel(outcome.state)}`,
      message: outcome.error?.message ?? `${journal.operation.kind} ended ${outcome.state}`,
    });
  }
}

function orchestrated(definition: Definition) {
  return definition.steps.map(({ name, onCancel, undo }) => ({
    name,
    onCancel,
    undoable: undo !== undefined,
  }));
}

function isSettled(operation: Operation, name: string): boolean {
  const state = operation.steps.find((step) => step.name === name)?.state;
  return state !== undefined && state !== "PENDING" && state !== "RUNNING";
}

function isUndone(operation: Operation, name: string): boolean {
  const state = operation.steps.find((step) => step.name === name)?.state;
  return state === "UNDONE" || state === "UNDO_FAILED";
}

function camel(state: string): string {
  return state.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
}
