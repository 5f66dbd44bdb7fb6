import { proxyActivities, setWorkflowOptions, workflowInfo } from "@temporalio/workflow";

/** A pass that hangs is given up, so that the next one can begin. */
const activities = proxyActivities<Record<string, () => Promise<void>>>({
  startToCloseTimeout: "5m",
  heartbeatTimeout: "10s",
  retry: { maximumAttempts: 1 },
});

/** One pass of what is done again and again; the schedule starts the next one. */
export async function runPass(): Promise<void> {
  await activities[workflowInfo().workflowType]!();
}

/** Temporal refuses a behavior from workers without a build, whose deployment has no name. */
const isVersioned = () => Boolean(workflowInfo().currentDeploymentVersion?.deploymentName);

// One that is cut off with the last worker of its build would hold up all that follow.
setWorkflowOptions(() => isVersioned() ? { versioningBehavior: "AUTO_UPGRADE" } : {}, runPass);
