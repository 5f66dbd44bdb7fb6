import assert from "node:assert/strict";
import { eventually } from "../servers/eventually.ts";
import { TEST_INSTALLATION, withClient } from "./temporal_world.ts";

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW = 1;

/**
 * Makes a build the current one, like `temporal worker deployment set-current-version`, and waits
 * until the task queue knows it.
 * @param name of the deployment, in these tests also of the configured task queue
 * @param buildId empty for workers without a build
 */
export function setCurrentBuild(
  address: string,
  name: string,
  buildId: string,
): Promise<void> {
  const deploymentName = `${name}-${TEST_INSTALLATION.id}`;
  const request = {
    ...{ namespace: "default", deploymentName, buildId, identity: "test" },
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  };
  return withClient(address, ({ workflowService }) =>
    // The server learns about a deployment and its task queue from its workers' first polls.
    eventually("the build is current", async () => {
      await workflowService.setWorkerDeploymentCurrentVersion(request);
      const { versioningInfo } = await workflowService.describeTaskQueue({
        namespace: request.namespace,
        taskQueue: { name: deploymentName },
        taskQueueType: WORKFLOW,
      });
      assert.equal(versioningInfo?.currentDeploymentVersion?.buildId ?? "", buildId);
    }));
}
