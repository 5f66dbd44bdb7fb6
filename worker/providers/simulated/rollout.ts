/**
 * The state of a rollout, computed from its start time. A restart of the process therefore does not
 * interrupt it, as on a real cluster.
 */
import {
  type Advice,
  adviceFor,
  ForeignError,
  formatSeconds,
  type Instant,
  MpcError,
  type ReasonOf,
} from "@mpc/domain";
import type { RolloutProgress, WorkloadIntent } from "@mpc/services";
import type { SimulatedDelays, SimulatedWorkload } from "./simulated_objects.ts";
import { behaviourOf } from "./image_behaviour.ts";

export interface Rollout {
  readonly status: RolloutProgress;
  /** Why it can never complete; undefined while it can. */
  readonly failure: MpcError | undefined;
  readonly complete: boolean;
  /** When its state changes by itself; undefined for never. */
  readonly nextChange: Instant | undefined;
}

/** How long one replica takes to become ready. */
export function replicaMs(workload: SimulatedWorkload, delays: SimulatedDelays): number {
  return delays.replicaMs * (behaviourOf(workload.intent.spec) === "slow" ? 10 : 1);
}

export function podName(workload: SimulatedWorkload, index: number): string {
  return `${workload.intent.workload}-r${workload.intent.revision}-${index + 1}`;
}

/** A workload at the beginning of a rollout. Replicas with the same pod template are kept. */
export function beginRollout(
  current: SimulatedWorkload | undefined,
  intent: WorkloadIntent,
  delays: SimulatedDelays,
  now: Instant,
): SimulatedWorkload {
  const isSameTemplate = current !== undefined && templateOf(current.intent) === templateOf(intent);
  const kept = isSameTemplate
    ? Math.min(rolloutAt(current, delays, now).status.ready, intent.spec.replicas)
    : 0;
  return { kind: "workload", intent: { ...intent }, rolloutTime: now, kept, deleteTime: null };
}

export function rolloutAt(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  now: Instant,
): Rollout {
  const { intent, rolloutTime, kept } = workload;
  const desired = intent.spec.replicas;
  const step = replicaMs(workload, delays);
  const failTime = failureTime(workload, delays);
  const passed = now - rolloutTime;
  const started = failTime !== undefined
    ? kept
    : step === 0
    ? desired
    : Math.min(desired, kept + Math.max(0, Math.floor(passed / step)));
  const ready = Math.min(desired, started);
  const complete = ready >= desired && (failTime === undefined || desired === 0);
  const failure = !complete && failTime !== undefined && now >= failTime
    ? failureOf(workload)
    : undefined;
  const nextReady = rolloutTime + (started - kept + 1) * step;
  const nextChange = complete || failure ? undefined : failTime ?? nextReady;
  const waiting = complete ? undefined : waitingOf(workload);
  return {
    status: {
      desired,
      updated: ready,
      ready,
      revision: intent.revision,
      message: `${ready} of ${desired} replica${desired === 1 ? "" : "s"} ready${
        waiting ? `; ${waiting.message}` : ""
      }`,
      ...(waiting && { advice: waiting.advice }),
    },
    failure,
    complete,
    nextChange,
  };
}

/** What the replicas of a misbehaving image wait for before the rollout fails. */
function waitingOf(
  workload: SimulatedWorkload,
): { readonly message: string; readonly advice: Advice } | undefined {
  const { intent } = workload;
  const pod = podName(workload, 0);
  switch (behaviourOf(intent.spec)) {
    case "stuck":
      return {
        message: `pod '${pod}': Unhealthy: ${PROBE_ANSWER}`,
        advice: {
          responsible: "caller",
          nextStep: "See in the program's log why it does not pass its health check",
          command: `mpctl workload logs ${intent.workload} --env ${intent.environment}`,
        },
      };
    case "unschedulable": {
      const advice = adviceFor({ code: "FAILED_PRECONDITION", reason: "UNSCHEDULABLE" });
      const command = `mpctl workload events ${intent.workload} --env ${intent.environment}`;
      return {
        message: `pod '${pod}': Unschedulable: ${NO_NODE}`,
        advice: { ...advice, command },
      };
    }
    default:
      return undefined;
  }
}

/** What the readiness probe of a `:stuck` image is answered. */
export const PROBE_ANSWER = "Readiness probe failed: HTTP probe failed with statuscode: 503";

/** What the scheduler says about an `:unschedulable` image. */
export const NO_NODE = "0/3 nodes are available: 3 Insufficient cpu";

function failureTime(workload: SimulatedWorkload, delays: SimulatedDelays): Instant | undefined {
  const { rolloutTime, intent } = workload;
  switch (behaviourOf(intent.spec)) {
    case "missing":
    case "unschedulable":
      return rolloutTime + delays.replicaMs;
    case "crash":
      return rolloutTime + 2 * delays.replicaMs;
    case "stuck":
      return rolloutTime + intent.spec.progressDeadlineMs;
    default:
      return undefined;
  }
}

function failureOf(workload: SimulatedWorkload): MpcError {
  const { intent } = workload;
  const pod = podName(workload, 0);
  const fail = (
    reason: ReasonOf<"FAILED_PRECONDITION">,
    podReason: string,
    podMessage: string,
    more: Readonly<Record<string, string>> = {},
  ) =>
    new MpcError("FAILED_PRECONDITION", {
      reason,
      message: `Cannot roll out '${intent.workload}': pod '${pod}' is ${podReason}: ${podMessage}`,
      retryable: false,
      metadata: { pod, ...more },
      cause: new ForeignError("FAILED_PRECONDITION", {
        reason: podReason,
        message: more["lastLog"] === undefined
          ? podMessage
          : `${podMessage}; its last output: ${more["lastLog"]}`,
      }),
    });
  switch (behaviourOf(intent.spec)) {
    case "missing":
      return fail("IMAGE_PULL_FAILED", "ErrImagePull", `image '${intent.spec.image}' is not there`);
    case "crash":
      return fail("CRASH_LOOP", "CrashLoopBackOff", "back-off after exit code 1", {
        exitCode: "1",
        lastLog: CRASH_LINE,
      });
    case "unschedulable":
      return fail("UNSCHEDULABLE", "Unschedulable", NO_NODE);
    default:
      return fail(
        "PROGRESS_DEADLINE_EXCEEDED",
        "NotReady",
        `no progress within ${formatSeconds(intent.spec.progressDeadlineMs)}`,
      );
  }
}

/** The last line that a `:crash` image prints. */
export const CRASH_LINE = "fatal: cannot read configuration: no such file";

/** The parts of an intent that make the pod template: a change of them replaces the pods. */
function templateOf({ labels, spec, restartToken }: WorkloadIntent): string {
  const { image, ports, env, envFrom, resources, command, args, volumes } = spec;
  const { healthCheck, livenessCheck } = spec;
  return JSON.stringify([
    ...[labels, image, ports, env, envFrom, resources, command, args, volumes],
    ...[healthCheck, livenessCheck, restartToken],
  ]);
}
