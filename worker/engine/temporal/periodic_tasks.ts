import { getLogger } from "@logtape/logtape";
import { type Instant, MpcError, recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { Context } from "@temporalio/activity";
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import type { PeriodicTask } from "../hosted_engine.ts";
import { heartbeat } from "./heartbeat.ts";
import { listWorkflows, quoted } from "./list_workflows.ts";
import { passFailed } from "./step_failures.ts";
import type { TaskQueueOptions } from "./task_queue.ts";
import { PASSES } from "./workflow_messages.ts";

const log = getLogger(["mpc", "temporal"]);

/** Passes that were missed while no worker was running are not made up for. */
const CATCH_UP = "10s";

/** The limit of a pass with everything around it: a stuck one must not block the following ones. */
const LONGEST_PASS = "6m";

/**
 * A schedule ends so long after the last worker has renewed it, so that the schedules of a control
 * plane that is gone do not start workflows for ever.
 */
const KEPT_MS = 24 * 3_600_000;

/** How long before its end a schedule is renewed. */
const RENEWED_MS = KEPT_MS - 3_600_000;

/** A pass that was interrupted is no trouble, but a second one in a row is. */
const FAILURES_IN_A_ROW = 2;

/** `WorkflowExecutionStatus` in Temporal's API. */
const COMPLETED = 2;

type Queue = Omit<TaskQueueOptions, "version"> & { readonly client: Client };

/** Whether an activity is a periodic pass, which must run under any load. */
export const isPass = (activityType: string): boolean =>
  PASSES.some((pass) => pass === activityType);

/** Periodic passes as Temporal schedules: each pass runs on one worker at a time. */
export class PeriodicTasks {
  readonly #clock: Clock;
  #tasks: readonly PeriodicTask[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the tasks that the activities run from now on. */
  assign(tasks: readonly PeriodicTask[]): void {
    this.#tasks = tasks;
  }

  /** By activity type, which is also the workflow type. */
  functions(): Record<string, () => Promise<void>> {
    return Object.fromEntries(PASSES.map((pass) => [pass, () => this.#run(pass)]));
  }

  /** Creates the schedules, or updates them. */
  async schedule(client: Client, taskQueue: string): Promise<void> {
    const now = this.#clock.now();
    for (const task of this.#tasks) await create(client, optionsOf(task, taskQueue, now));
  }

  /** Deletes the schedules. */
  async remove(client: Client, taskQueue: string): Promise<void> {
    for (const { name } of this.#tasks) {
      try {
        await client.schedule.getHandle(scheduleIdOf(taskQueue, name)).delete();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    }
  }

  /**
   * Why passes do not run; undefined while they do. A schedule that somebody has deleted or changed
   * is put back; one that somebody has paused stays so, because that has a reason.
   * @returns FAILED_PRECONDITION `ENGINE_HOUSEKEEPING`
   */
  async problem(queue: Queue): Promise<MpcError | undefined> {
    for (const task of this.#tasks) {
      const problem = await scheduleProblem(queue, task, this.#clock.now()) ??
        await failures(queue, task);
      if (problem) return problem;
    }
    return undefined;
  }

  async #run(pass: string): Promise<void> {
    const over = new AbortController();
    const context = Context.current();
    heartbeat(() => context.heartbeat(), over.signal);
    try {
      await this.#tasks.find(({ name }) => name === pass)?.run();
    } catch (error) {
      throw passFailed(error);
    } finally {
      over.abort("the pass is over");
    }
  }
}

const scheduleIdOf = (taskQueue: string, task: string) => `mpc-${taskQueue}-${task}`;

function optionsOf(
  { name, everyMs }: PeriodicTask,
  taskQueue: string,
  now: Instant,
): ScheduleOptions {
  return {
    scheduleId: scheduleIdOf(taskQueue, name),
    spec: { intervals: [{ every: everyMs }], endAt: new Date(now + KEPT_MS) },
    action: {
      type: "startWorkflow",
      workflowType: name,
      taskQueue,
      args: [],
      workflowExecutionTimeout: LONGEST_PASS,
    },
    // A pass that takes longer than its interval is followed by the next one at once.
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: CATCH_UP },
  };
}

async function create(client: Client, options: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule.getHandle(options.scheduleId).update(({ state, ...schedule }) => ({
      ...schedule,
      spec,
      action: { ...schedule.action, ...action },
      policies: { ...schedule.policies, ...policies },
      state: { paused: state.paused, ...(state.note !== undefined && { note: state.note }) },
    }));
  }
}

async function scheduleProblem(
  { client, namespace, taskQueue }: Queue,
  task: PeriodicTask,
  now: Instant,
): Promise<MpcError | undefined> {
  const options = optionsOf(task, taskQueue, now);
  const { scheduleId } = options;
  const found = await described(client, scheduleId);
  const changed = !found || hasChanged(found, task, taskQueue);
  if (changed) {
    log.warn("Schedule {scheduleId} was {how} in Temporal; it is put back", {
      scheduleId,
      how: found ? "changed" : "deleted",
    });
  }
  const endsAt = found?.spec.endAt?.getTime() ?? 0;
  if (changed || endsAt < now + RENEWED_MS) await create(client, options);
  if (!found?.state.paused) return undefined;
  const { note } = found.state;
  const command =
    `temporal schedule toggle --unpause --namespace ${namespace} --schedule-id ${scheduleId}`;
  return idle(
    `'${task.name}' does not run: its schedule is paused in Temporal${note ? ` (${note})` : ""}; ` +
      `continue it by ${command}`,
    command,
  );
}

async function described(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

function hasChanged(
  { spec, action, state }: ScheduleDescription,
  { name, everyMs }: PeriodicTask,
  taskQueue: string,
): boolean {
  const { intervals = [], calendars = [], startAt } = spec;
  return intervals.length !== 1 || intervals[0]?.every !== everyMs || calendars.length > 0 ||
    startAt !== undefined || state.remainingActions !== undefined ||
    action.workflowType !== name || action.taskQueue !== taskQueue;
}

/** Why the last passes failed; undefined if one of them succeeded. */
async function failures(
  queue: Queue,
  { name }: PeriodicTask,
): Promise<MpcError | undefined> {
  const ended = await listWorkflows(queue, [
    `TaskQueue = ${quoted(queue.taskQueue)}`,
    `WorkflowType = ${quoted(name)}`,
    `ExecutionStatus != 'Running'`,
  ], FAILURES_IN_A_ROW);
  if (ended.length < FAILURES_IN_A_ROW) return undefined;
  if (ended.some(({ status }) => status === COMPLETED)) return undefined;
  const { workflowId = "", runId = "" } = ended[0]?.execution ?? {};
  const command = `temporal workflow show --namespace ${queue.namespace} ` +
    `--workflow-id ${workflowId}`;
  const why = await failureOfRun(queue.client, workflowId ?? "", runId ?? "");
  return idle(`'${name}' fails again and again: ${why}; see ${command}`, command);
}

async function failureOfRun(client: Client, workflowId: string, runId: string): Promise<string> {
  try {
    await client.workflow.getHandle(workflowId, runId).result();
    return "it has succeeded since";
  } catch (error) {
    const { message, causes } = recordError(error);
    return causes.at(-1)?.message ?? message;
  }
}

function idle(what: string, command: string): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_HOUSEKEEPING",
    message: `Periodic task ${what}`,
    retryable: true,
    metadata: { command },
  });
}
