import { MpcError } from "@mpc/domain";
import { listWorkflows, quoted } from "./list_workflows.ts";
import { KIND } from "./search_attributes.ts";
import { livePollers, pollersOf, type TaskQueueOptions } from "./task_queue.ts";
import { operationOf, withoutInstallation } from "./workflow_id.ts";

/**
 * Operations that began on another task queue than this worker's, for instance before the setting
 * was changed, and that no worker polls any more. The error of each is FAILED_PRECONDITION
 * `ENGINE_NO_WORKER`.
 */
export async function operationsOnLeftQueues(
  queue: Omit<TaskQueueOptions, "version">,
): Promise<ReadonlyMap<string, MpcError>> {
  const { taskQueue, installation } = queue;
  const elsewhere = await listWorkflows(queue, [
    `WorkflowId STARTS_WITH ${quoted(`${installation}/`)}`,
    `TaskQueue != ${quoted(taskQueue)}`,
    `ExecutionStatus = 'Running'`,
    `${KIND.name} IS NOT NULL`,
  ]);
  const left = new Map<string, MpcError>();
  for (const [name, executions] of Map.groupBy(elsewhere, (it) => it.taskQueue ?? "")) {
    const [own, others] = [await pollersOf(queue), await pollersOf({ ...queue, taskQueue: name })];
    if (livePollers(others, own).length > 0) continue;
    const error = leftQueue(name, installation);
    for (const { execution } of executions) {
      if (execution?.workflowId) left.set(operationOf(execution.workflowId), error);
    }
  }
  return left;
}

function leftQueue(name: string, installation: string): MpcError {
  const command = `deno task worker --temporal-task-queue ${
    withoutInstallation(name, installation)
  }`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_NO_WORKER",
    message:
      `Cannot continue: it began on task queue '${name}', which no worker polls; start one ` +
      `by ${command}`,
    retryable: true,
    metadata: { command },
  });
}
