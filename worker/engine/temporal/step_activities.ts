import { idOf, isTerminal, type JsonValue, MpcError, type OperationKind } from "@mpc/domain";
import { systemPrincipal } from "@mpc/services";
import {
  type Definition,
  DEFINITIONS,
  requestCancel,
  type Step,
  stepOf,
} from "@mpc/services/sagas";
import type { Stored } from "@mpc/storage";
import type { Operation } from "@mpc/domain";
import { Context } from "@temporalio/activity";
import { endOperation } from "../end_operation.ts";
import { OperationJournal } from "../operation_journal.ts";
import { noteOfEnd } from "../step_end.ts";
import { inOperationTrace } from "../step_span.ts";
import { TimeLimits } from "../time_limits.ts";
import { type StepTools, type Tried, tryStep } from "../try_step.ts";
import { heartbeat } from "./heartbeat.ts";
import {
  failureOf,
  foreignOperation,
  operationEnded,
  stepFailed,
  stepRetries,
  workerStopped,
} from "./step_failures.ts";
import {
  END_ACTIVITY,
  type EndResult,
  type EndTask,
  type StepResult,
  type StepTask,
  undoActivity,
} from "./workflow_messages.ts";

export interface StepActivitiesOptions extends StepTools {
  /** The id of the control plane that the store belongs to; undefined in tests with one store. */
  readonly installation?: string;
  /** Whether payloads are encrypted, so that nothing else may have content. */
  readonly encrypted?: boolean;
  /** Every operation kind; tests inject faults into them. */
  readonly definitions?: Readonly<Record<OperationKind, Definition>>;
}

/** Why the heartbeat of an ended attempt stops. */
const OVER = "the try is over";

/** The activities of a worker: one for each step, one for each undo, and one for the end. */
export class StepActivities {
  readonly #options: StepActivitiesOptions;
  readonly #definitions: Readonly<Record<OperationKind, Definition>>;
  readonly #stop = new AbortController();
  readonly #journals = new Map<string, Set<OperationJournal>>();

  constructor(options: StepActivitiesOptions) {
    this.#options = options;
    this.#definitions = options.definitions ?? DEFINITIONS;
  }

  /**
   * By activity type. Kinds may share a step name; the operation determines which kind is meant.
   */
  functions(): Record<string, (task: never) => Promise<StepResult | EndResult>> {
    const steps = Object.values(this.#definitions).flatMap(({ steps }) => steps);
    return Object.fromEntries([
      ...steps.flatMap(({ name }) => [
        [name, (task: StepTask) => this.#try(name, false, task)],
        [undoActivity(name), (task: StepTask) => this.#try(name, true, task)],
      ]),
      [END_ACTIVITY, (task: EndTask) => this.#end(task)],
    ]);
  }

  /**
   * Whether the activity of this type is a step that waits, for a cluster or other operations, or
   * any undo: deletions wait for the undos of the deployments that they have cancelled.
   */
  waits(type: string): boolean {
    return Object.values(this.#definitions).some(({ steps }) =>
      steps.some(({ name, heartbeatMs }) =>
        type === undoActivity(name) || (type === name && heartbeatMs !== undefined)
      )
    );
  }

  /** Reads the cancellation mark of an operation that has a step running in this process. */
  async refresh(operation: string): Promise<void> {
    const journals = this.#journals.get(operation) ?? [];
    await Promise.all([...journals].map((journal) => journal.refresh()));
  }

  /** Stops all running steps; another worker attempts them again. */
  stop(): void {
    this.#stop.abort();
  }

  async #try(name: string, undo: boolean, task: StepTask): Promise<StepResult> {
    const { operation, ends } = task;
    const context = Context.current();
    const cancel = new AbortController();
    const over = new AbortController();
    try {
      const stored = await this.#read(task);
      const journal = new OperationJournal(this.#options.store, stored, () => cancel.abort());
      for (const end of ends) journal.defer(noteOfEnd(end));
      using _kept = this.#keep(operation, journal);
      let detail: JsonValue = context.info.heartbeatDetails ?? null;
      heartbeat(() => context.heartbeat(detail), over.signal);
      const isResumed = hasLostAttempt(journal.operation, name);
      const tried = await inOperationTrace(stored.value, { isResumed }, () =>
        tryStep({
          ...this.#options,
          journal,
          limits: new TimeLimits(this.#options.clock),
          step: this.#step(stored.value.kind, name),
          undo,
          cancel: cancel.signal,
          stop: AbortSignal.any([this.#stop.signal, this.#lost(context, cancel, over.signal)]),
          lastHeartbeat: detail,
          onHeartbeat: (latest) => context.heartbeat(detail = latest),
        }));
      return this.#answer(tried, ends, cancel.signal.aborted);
    } catch (error) {
      throw failureOf(error);
    } finally {
      over.abort(OVER);
    }
  }

  #answer(tried: Tried, ends: StepTask["ends"], marked: boolean): StepResult {
    switch (tried.status) {
      case "failed":
        throw stepFailed(tried.error);
      case "retry":
        throw stepRetries(tried.error, tried.pauseMs);
      case "stopped":
        throw workerStopped();
      case "ended":
        throw operationEnded();
      case "skipped":
        return { status: "skipped", ends, marked };
      case "succeeded":
        return { status: "succeeded", ends: tried.end ? [tried.end] : ends, marked };
      case "cancelled":
        // If the step did not begin, these ends were not written; if they were, the journal ignores
        // them.
        return { status: "cancelled", ends: tried.end ? [...ends, tried.end] : ends, marked };
    }
  }

  async #end(task: EndTask): Promise<EndResult> {
    const { operation, outcome, ends } = task;
    const { store, clock, encrypted } = this.#options;
    const result = encrypted ? `See 'mpctl op explain ${idOf(operation)}'` : null;
    try {
      let stored = await this.#read(task);
      if (isTerminal(stored.value.state)) return result;
      if (outcome.state === "CANCELLED" && !stored.value.cancellation) {
        const cancellation = {
          actor: systemPrincipal("temporal"),
          reason: "its workflow was cancelled in Temporal",
          time: clock.now(),
        };
        stored = await requestCancel(store, operation, cancellation, this.#stop.signal);
      }
      const journal = new OperationJournal(store, stored);
      for (const end of ends) journal.defer(noteOfEnd(end));
      const definition = this.#definitions[stored.value.kind];
      await inOperationTrace(
        stored.value,
        { isResumed: false },
        () => endOperation({ store, clock, definition }, journal, outcome),
      );
      return result;
    } catch (error) {
      throw failureOf(error);
    }
  }

  async #read({ operation, installation }: StepTask | EndTask): Promise<Stored<Operation>> {
    const { store, installation: own } = this.#options;
    const stored = await store.operations.get(operation);
    if (stored) return stored;
    // It has not ended because it is not known here: a worker of its own store goes on with it.
    if (installation !== own) throw foreignOperation(operation, installation);
    throw operationEnded();
  }

  #step(kind: OperationKind, name: string): Step<never> {
    const step = this.#definitions[kind].steps.find((step) => step.name === name);
    if (step) return step;
    throw new MpcError("INTERNAL", {
      reason: "NO_SUCH_STEP",
      message: `Cannot run step '${name}': this worker's '${kind}' has no such step`,
    });
  }

  #keep(operation: string, journal: OperationJournal): Disposable {
    const journals = this.#journals.get(operation) ?? new Set();
    this.#journals.set(operation, journals.add(journal));
    return {
      [Symbol.dispose]: () => {
        journals.delete(journal);
        if (journals.size === 0) this.#journals.delete(operation);
      },
    };
  }

  /**
   * Aborted when Temporal takes the attempt away. A cancellation of the workflow aborts `cancel`.
   */
  #lost(context: Context, cancel: AbortController, over: AbortSignal): AbortSignal {
    const lost = new AbortController();
    const told = () => {
      if (context.cancellationDetails?.cancelRequested) cancel.abort();
      else lost.abort();
    };
    if (context.cancellationSignal.aborted) told();
    else context.cancellationSignal.addEventListener("abort", told, { once: true, signal: over });
    return lost.signal;
  }
}

/** Whether a worker has begun an attempt of a step and was not able to end it. */
const hasLostAttempt = (operation: Operation, step: string): boolean =>
  stepOf(operation, step).attempts.at(-1)?.endTime === null;
