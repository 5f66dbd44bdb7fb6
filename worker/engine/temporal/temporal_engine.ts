import {
  environmentIdOf,
  type ErrorRecord,
  isTerminal,
  type Operation,
  type OperationKind,
  type ReasonOf,
} from "@mpc/domain";
import type { Clock, Engine, EngineStatus } from "@mpc/services";
import {
  type Definition,
  DEFINITIONS,
  holdsResource,
  journaledRun,
  journaledUndo,
  type StepOutcome,
  type UndoOutcome,
} from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { OperationJournal } from "../operation_journal.ts";
import { settleWithoutLock } from "../settle_without_lock.ts";
import { workflowIdOf } from "./workflow_id.ts";
import type { Carried, OperationTask } from "./workflow_messages.ts";
import { reaching } from "./engine_errors.ts";
import { ACTOR, ENVIRONMENT, KIND } from "./search_attributes.ts";
import type { StepActivities } from "./step_activities.ts";

export interface TemporalEngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  /**
   * The client of Temporal.
   * @throws {MpcError} UNAVAILABLE `ENGINE_UNREACHABLE` while there is no connection
   */
  readonly client: () => Client;
  readonly taskQueue: string;
  /** The id of the control plane, which workflows carry. */
  readonly installation: string;
  /**
   * Passes the first workflow task to the worker in this process with the response to the start,
   * which saves a round trip. Not used with worker versioning, which it would bypass: the worker
   * that starts a workflow would also run one that belongs to another version.
   */
  readonly eager: boolean;
  /** Whether the records end with this process; then a workflow ends by itself after a day. */
  readonly ephemeral?: boolean;
  /** The activities of the worker in this process, which learns of a cancellation at once. */
  readonly activities?: StepActivities;
  /** Every operation kind; tests inject faults into them. */
  readonly definitions?: Readonly<Record<OperationKind, Definition>>;
}

/** The states of a workflow that has not ended; somebody may have paused it. */
const LIVE: readonly string[] = ["RUNNING", "PAUSED"];

/** Runs operations as workflows on Temporal, of which each has an id of its own. */
export class TemporalEngine implements Engine {
  readonly name = "temporal";
  readonly #options: TemporalEngineOptions;

  constructor(options: TemporalEngineOptions) {
    this.#options = options;
  }

  async start(name: string): Promise<void> {
    const { store, clock, definitions = DEFINITIONS } = this.#options;
    const stored = await store.operations.get(name);
    if (!stored || isTerminal(stored.value.state) || stored.value.engine !== this.name) return;
    if (!await holdsResource(store, stored.value)) {
      const definition = definitions[stored.value.kind];
      const tools = { store, clock, definition };
      return await settleWithoutLock(tools, new OperationJournal(store, stored));
    }
    await reaching(() => this.#start(stored.value));
  }

  async cancel(operation: string): Promise<void> {
    await this.#options.activities?.refresh(operation);
    try {
      await reaching(() => this.#handle(operation).cancel());
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await this.start(operation);
    }
  }

  async status(operation: string): Promise<EngineStatus> {
    const handle = this.#handle(operation);
    try {
      const description = await reaching(() => handle.describe());
      if (LIVE.includes(description.status.name)) return { state: "running" };
      const { store } = this.#options;
      const live = (await store.operations.get(operation))?.value;
      // The operation ended between the caller's read of the record and this one.
      if (!live || isTerminal(live.state)) return { state: "running" };
      return { state: "ended", error: await endedOutside(handle, description) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { state: "absent" };
      throw error;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #handle(operation: string): WorkflowHandle {
    return this.#options.client().workflow.getHandle(
      workflowIdOf(this.#options.installation, operation),
    );
  }

  async #start(operation: Operation): Promise<void> {
    const { client, taskQueue, installation, eager, ephemeral } = this.#options;
    const { name, kind, target, actor, traceparent } = operation;
    const task: OperationTask = {
      operation: name,
      installation,
      carried: carriedOf(operation),
    };
    try {
      await client().workflow.start(kind, {
        args: [task],
        workflowId: workflowIdOf(installation, name),
        taskQueue,
        // An operation has exactly one workflow, however often it is started.
        workflowIdConflictPolicy: "USE_EXISTING",
        workflowIdReusePolicy: "REJECT_DUPLICATE",
        requestEagerStart: eager,
        ...(ephemeral && { workflowExecutionTimeout: "1d" }),
        staticSummary: `${kind} of ${target}`,
        memo: { target, kind, actor, ...(traceparent && { traceparent }) },
        typedSearchAttributes: [
          { key: ENVIRONMENT, value: environmentIdOf(target) },
          { key: KIND, value: kind },
          { key: ACTOR, value: actor },
        ],
      });
    } catch (error) {
      // The workflow has already ended: the janitor decides what that means for the record.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

/** The journaled state of an operation whose workflow is lost, from which a new one continues. */
function carriedOf({ steps, cancellation }: Operation): Carried {
  const runs: Record<string, StepOutcome> = {};
  const undos: Record<string, UndoOutcome> = {};
  for (const step of steps) {
    const run = journaledRun(step);
    const undo = journaledUndo(step);
    if (run) runs[step.name] = run;
    if (undo) undos[step.name] = undo;
  }
  const open = steps.find(({ state }) => state === "RUNNING")?.name ?? null;
  return { runs, undos, open, ends: [], cancelled: cancellation !== null };
}

/** Temporal's words for the end of a workflow, in the catalogue's. */
const ENDED: Partial<Record<WorkflowExecutionDescription["status"]["name"], ReasonOf<"ABORTED">>> =
  {
    CANCELLED: "WORKFLOW_CANCELLED",
    FAILED: "WORKFLOW_FAILED",
    TERMINATED: "WORKFLOW_TERMINATED",
    TIMED_OUT: "WORKFLOW_TIMED_OUT",
  };

async function endedOutside(
  handle: WorkflowHandle,
  { status, workflowId }: WorkflowExecutionDescription,
): Promise<ErrorRecord> {
  const { events } = await reaching(() => handle.fetchHistory());
  const last = events?.at(-1);
  const why = last?.workflowExecutionTerminatedEventAttributes?.reason ||
    last?.workflowExecutionFailedEventAttributes?.failure?.message || "";
  const how = status.name.toLowerCase().replaceAll("_", " ");
  return {
    code: "ABORTED",
    reason: ENDED[status.name] ?? "WORKFLOW_ENDED",
    message: `Its workflow was ${how} in Temporal${why && `: ${why}`}`,
    retryable: false,
    metadata: { workflow: workflowId, status: status.name },
    causes: [],
  };
}
