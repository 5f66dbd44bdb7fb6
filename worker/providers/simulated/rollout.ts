/** How a rollout stands at a moment: pure, so that a restart goes on as a real cluster would. */
import { type Instant, MpcError } from "@mpc/domain";
import type { RolloutStatus } from "@mpc/services";
import type { SimulatedWorkload } from "./cluster_state.ts";
import type { SimulatedDelays } from "./delays.ts";
import { behaviourOf } from "./behaviour.ts";

export interface Rollout {
  readonly status: RolloutStatus;
  /** Why it can never be complete; undefined while it can. */
  readonly failure: MpcError | undefined;
  readonly complete: boolean;
  /** When it stands differently without anybody's doing; undefined for never. */
  readonly nextChange: Instant | undefined;
}

/** How long one replica takes to be ready. */
export function replicaMs(workload: SimulatedWorkload, delays: SimulatedDelays): number {
  return delays.replicaMs * (behaviourOf(workload.intent.spec) === "slow" ? 10 : 1);
}

/** Names a replica as it is shown to people. */
export function podName(workload: SimulatedWorkload, index: number): string {
  return `${workload.intent.workload}-r${workload.intent.revision}-${index + 1}`;
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
  return {
    status: {
      desired,
      updated: ready,
      ready,
      revision: intent.revision,
      message: `${ready} of ${desired} replica${desired === 1 ? "" : "s"} ready`,
    },
    failure,
    complete,
    nextChange,
  };
}

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
    reason: string,
    podReason: string,
    podMessage: string,
    more: Readonly<Record<string, string>> = {},
  ) =>
    new MpcError("FAILED_PRECONDITION", {
      reason,
      message: `Cannot roll out '${intent.workload}': pod '${pod}' is ${podReason}: ${podMessage}`,
      retryable: false,
      metadata: { pod, ...more },
      cause: new MpcError("FAILED_PRECONDITION", {
        reason: podReason,
        message: more["lastLog"] === undefined
          ? podMessage
          : `${podMessage}; the last that it printed: ${more["lastLog"]}`,
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
      return fail("UNSCHEDULABLE", "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu");
    default:
      return fail(
        "PROGRESS_DEADLINE_EXCEEDED",
        "NotReady",
        `no progress within ${intent.spec.progressDeadlineMs / 1_000} s`,
      );
  }
}

/** The last thing a `:crash` image prints. */
export const CRASH_LINE = "fatal: cannot read configuration: no such file";
