/** The pods of a workload at a given time, and their events. */
import type { Instant } from "@mpc/domain";
import type { ClusterEvent, PodStatus } from "@mpc/services";
import type { SimulatedDelays, SimulatedWorkload } from "./simulated_objects.ts";
import { type Behaviour, behaviourOf } from "./image_behaviour.ts";
import { NO_NODE, podName, PROBE_ANSWER, rolloutAt } from "./rollout.ts";

const NODES = 3;

export function podsAt(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  now: Instant,
): readonly PodStatus[] {
  const { status: { ready } } = rolloutAt(workload, delays, now);
  const behaviour = behaviourOf(workload.intent.spec);
  return Array.from({ length: workload.intent.spec.replicas }, (_, index) => {
    const isReady = index < ready;
    const waiting = isReady ? { status: "Running", message: "" } : WAITING[behaviour];
    return {
      ...waiting,
      name: podName(workload, index),
      ready: isReady,
      restarts: !isReady && behaviour === "crash" ? 3 : 0,
      image: workload.intent.spec.image,
      node: behaviour === "unschedulable" ? "" : `node-${index % NODES + 1}`,
      createTime: workload.rolloutTime,
    };
  });
}

/** The events about the pods so far, oldest first. */
export function eventsAt(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  now: Instant,
): readonly ClusterEvent[] {
  const { environment } = workload.intent;
  return podsAt(workload, delays, now).flatMap((pod) => {
    const event = (reason: string, message: string, warning = false): ClusterEvent => ({
      time: pod.createTime,
      count: 1,
      warning,
      reason,
      object: `Pod/${environment}/${pod.name}`,
      message,
    });
    if (pod.node === "") return [event("FailedScheduling", pod.message, true)];
    const scheduled = event("Scheduled", `Assigned to ${pod.node}`);
    if (pod.ready) return [scheduled, event("Started", "Started the container")];
    if (pod.message === "") return [scheduled];
    const reason = pod.status === "Running" ? "Unhealthy" : pod.status;
    return [scheduled, event(reason, pod.message, true)];
  });
}

const CREATING = { status: "ContainerCreating", message: "" };

const WAITING: Readonly<Record<Behaviour, { readonly status: string; readonly message: string }>> =
  {
    works: CREATING,
    slow: CREATING,
    flaky: CREATING,
    sticky: CREATING,
    missing: { status: "ErrImagePull", message: "the image is not there" },
    crash: { status: "CrashLoopBackOff", message: "back-off after exit code 1" },
    unschedulable: {
      status: "Unschedulable",
      message: NO_NODE,
    },
    stuck: { status: "Running", message: PROBE_ANSWER },
  };
