import { proxyActivities, setWorkflowOptions, workflowInfo } from "@temporalio/workflow";

/** A pass that hangs times out, so that the next one can begin. */
const activities = proxyActivities<Record<string, () => Promise<void>>>({
  startToCloseTimeout: "5m",
  heartbeatTimeout: "10s",
  retry: { maximumAttempts: 1 },
});

/** One periodic pass; the schedule starts the next one. */
export async function runPass(): Promise<void> {
  await activities[workflowInfo().workflowType]!();
}

/**
 * Temporal rejects a versioning behavior from a worker without a build, which has no deployment
 * name.
 */
const isVersioned = () => Boolean(workflowInfo().currentDeploymentVersion?.deploymentName);

// A pass that stayed pinned to a build without workers would block all following passes.
setWorkflowOptions(() => isVersioned() ? { versioningBehavior: "AUTO_UPGRADE" } : {}, runPass);
