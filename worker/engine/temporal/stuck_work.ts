import type { MpcError } from "@mpc/domain";
import type { Client } from "@temporalio/client";
import { isPass, type PeriodicTasks } from "./periodic_tasks.ts";
import { operationsOnLeftQueues } from "./left_queues.ts";
import { strandedOperations } from "./stranded_operations.ts";
import { stuckWorkflows } from "./stuck_workflows.ts";
import type { TaskQueueBuilds, TaskQueueOptions } from "./task_queue.ts";
import { operationOf } from "./workflow_id.ts";

/** The work that Temporal does not continue although it answers. */
export interface StuckWork {
  /** The reasons, by operation. */
  readonly operations: ReadonlyMap<string, MpcError>;
  /** Why periodic tasks do not run; undefined while they do. */
  readonly periodic: MpcError | undefined;
}

export interface StuckWorkOptions {
  readonly queue: TaskQueueOptions & { readonly client: Client };
  readonly builds: TaskQueueBuilds;
  /** Undefined for a worker without periodic tasks. */
  readonly periodic: PeriodicTasks | undefined;
}

/** Searches for work that Temporal does not continue; repairs the schedules of periodic tasks. */
export async function stuckWork(
  { queue, builds, periodic }: StuckWorkOptions,
): Promise<StuckWork> {
  const stranded = await strandedOperations(builds, queue);
  const stuck = await stuckWorkflows(queue);
  const operations = stuck.filter(({ type }) => !isPass(type));
  const pass = stuck.find(({ type }) => isPass(type));
  return {
    operations: new Map([
      ...stranded,
      ...await operationsOnLeftQueues(queue),
      ...operations.map(({ workflowId, error }) => [operationOf(workflowId), error] as const),
    ]),
    periodic: pass?.error ?? await periodic?.problem(queue),
  };
}
