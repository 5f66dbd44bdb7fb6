import { eventually } from "../servers/eventually.ts";
import { withClient } from "./temporal_world.ts";

/**
 * Has a build take what is new, as `temporal worker deployment set-current-version` does.
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
    // The server learns of a deployment by its workers' first polls.
    eventually("the build is current", async () => {
      await workflowService.setWorkerDeploymentCurrentVersion(request);
    }));
}
