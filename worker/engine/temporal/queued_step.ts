import type { QueuedStep } from "@mpc/services";
import type { NativeConnection } from "@temporalio/worker";
import type { StepSlots } from "./step_slots.ts";

/** `PendingActivityState` and `TaskQueueType` in Temporal's API. */
const SCHEDULED = 1;
const ACTIVITY = 2;

/**
 * The step of a workflow whose activity waits for a slot of this worker; undefined if none does, or
 * if this worker has a slot for it.
 */
export async function queuedStep(
  { workflowService }: Pick<NativeConnection, "workflowService">,
  { namespace, taskQueue, workflowId, slots }: {
    readonly namespace: string;
    readonly taskQueue: string;
    readonly workflowId: string;
    readonly slots: StepSlots;
  },
): Promise<QueuedStep | undefined> {
  if (!slots.isFull) return undefined;
  const { running } = slots;
  const execution = { workflowId };
  const { pendingActivities } = await workflowService.describeWorkflowExecution({
    namespace,
    execution,
  });
  // The next attempt of a step that has failed waits for its time, not for a slot.
  const found = pendingActivities?.find(({ state, paused, attempt }) =>
    state === SCHEDULED && !paused && (attempt ?? 1) <= 1
  );
  if (!found) return undefined;
  const { stats } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: ACTIVITY,
    reportStats: true,
  });
  const backlog = Number(stats?.approximateBacklogCount ?? 0);
  return { step: found.activityType?.name ?? "", running, waiting: Math.max(1, backlog) };
}
