import { proxyActivities, workflowInfo } from "@temporalio/workflow";

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
