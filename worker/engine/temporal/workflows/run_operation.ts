import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  defineQuery,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { OperationKind } from "@mpc/domain";
import { orchestrate } from "@mpc/services/orchestrate";
import {
  type END_ACTIVITY,
  type EndResult,
  type EndTask,
  type OperationTask,
  type Progress,
  PROGRESS_QUERY,
} from "../workflow_messages.ts";
import { STEP_LISTS } from "./step_lists.ts";
import { WorkflowDriver } from "./workflow_driver.ts";

const progress = defineQuery<Progress>(PROGRESS_QUERY);

/** Local: it runs inside the workflow task that decides the end, which saves a round trip. */
const { end_operation: endOperation } = proxyLocalActivities<
  Record<typeof END_ACTIVITY, (task: EndTask) => Promise<EndResult>>
>({
  startToCloseTimeout: "30s",
  retry: { initialInterval: "200ms", maximumInterval: "10s" },
});

/**
 * One operation, as a workflow of its kind. The workflow ends with the status of the operation, so
 * that Temporal's own views are correct. The record has been written before that.
 */
export async function runOperation(task: OperationTask): Promise<void> {
  const steps = STEP_LISTS[workflowInfo().workflowType as OperationKind];
  const driver = new WorkflowDriver(task);
  setHandler(progress, () => driver.progress);
  const outcome = await orchestrate(steps, driver);
  const { carried: _carried, ...named } = task;
  const instead = await CancellationScope.nonCancellable(() =>
    endOperation({ ...named, outcome, ends: driver.ends })
  );
  switch (outcome.state) {
    case "SUCCEEDED":
      return;
    case "CANCELLED":
      throw new CancelledFailure("The operation was cancelled");
    default:
      throw ApplicationFailure.nonRetryable(
        instead ?? outcome.error?.message ?? outcome.state,
        outcome.error?.code ?? outcome.state,
      );
  }
}
