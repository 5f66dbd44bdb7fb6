/** The final status of a pod with an image of this tag. */
export function podStatusOf(tag: string, now: number): object {
  const notReady = [{ type: "Ready", status: "False", message: "containers with unready status" }];
  const waiting = (reason: string, message: string, more = {}) => ({
    phase: "Pending",
    conditions: notReady,
    containerStatuses: [
      {
        name: "web",
        ready: false,
        restartCount: 0,
        state: { waiting: { reason, message } },
        ...more,
      },
    ],
  });
  switch (tag) {
    case "missing":
      return waiting("ErrImagePull", "failed to pull and unpack image: not found");
    case "crash":
      return waiting("CrashLoopBackOff", "back-off restarting failed container", {
        restartCount: 2,
        lastState: { terminated: { exitCode: 1, reason: "Error" } },
      });
    case "unschedulable":
      return {
        phase: "Pending",
        conditions: [...notReady, {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/3 nodes are available: 3 Insufficient cpu.",
          lastTransitionTime: new Date(now).toISOString(),
        }],
      };
    case "stuck":
      return {
        phase: "Running",
        conditions: [...notReady, { type: "PodScheduled", status: "True" }],
      };
    default:
      return {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: [{ name: "web", ready: true, restartCount: 0, state: { running: {} } }],
      };
  }
}
