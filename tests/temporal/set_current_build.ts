import assert from "node:assert/strict";
import { eventually } from "../servers/eventually.ts";
import { TEST_INSTALLATION, withClient } from "./temporal_world.ts";

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW = 1;

/**
 * Has a build take what is new, as `temporal worker deployment set-current-version` does, and waits
 * until the task queue knows of it.
 * @param deploymentName which in these tests is the configured task queue's name, too
 * @param buildId empty for workers that have none
 */
export function setCurrentBuild(
  address: string,
  deploymentName: string,
  buildId: string,
): Promise<void> {
  const request = {
    ...{ namespace: "default", deploymentName, buildId, identity: "test" },
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  };
  return withClient(address, ({ workflowService }) =>
    // The server learns of a deployment, and of its task queue, by its workers' first polls.
    eventually("the build is current", async () => {
      await workflowService.setWorkerDeploymentCurrentVersion(request);
      const { versioningInfo } = await workflowService.describeTaskQueue({
        namespace: request.namespace,
        taskQueue: { name: `${deploymentName}-${TEST_INSTALLATION.id}` },
        taskQueueType: WORKFLOW,
      });
      assert.equal(versioningInfo?.currentDeploymentVersion?.buildId ?? "", buildId);
    }));
}
