import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import { Context } from "@temporalio/activity";
import { heartbeat } from "./heartbeat.ts";
import type { PeriodicTask } from "../hosted_engine.ts";
import { PASSES } from "./workflow_messages.ts";
import { failureOf } from "./step_failures.ts";

/** Passes that were missed while no worker was running are not made up for. */
const CATCH_UP = "10s";

/** Periodic passes as Temporal schedules: each pass runs on one worker at a time. */
export class PeriodicTasks {
  #tasks: readonly PeriodicTask[] = [];

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
    for (const { name, everyMs } of this.#tasks) {
      const options: ScheduleOptions = {
        scheduleId: `mpc-${taskQueue}-${name}`,
        spec: { intervals: [{ every: everyMs }] },
        action: { type: "startWorkflow", workflowType: name, taskQueue, args: [] },
        // A pass that takes longer than its interval is followed by the next one at once.
        policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: CATCH_UP },
      };
      try {
        await client.schedule.create(options);
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        const { spec, action, policies } = options;
        await client.schedule.getHandle(options.scheduleId).update((schedule) => ({
          ...schedule,
          spec,
          action: { ...schedule.action, ...action },
          policies: { ...schedule.policies, ...policies },
        }));
      }
    }
  }

  async #run(pass: string): Promise<void> {
    const over = new AbortController();
    const context = Context.current();
    heartbeat(() => context.heartbeat(), over.signal);
    try {
      await this.#tasks.find(({ name }) => name === pass)?.run();
    } catch (error) {
      throw failureOf(error);
    } finally {
      over.abort("the pass is over");
    }
  }
}
