import type { Instant } from "@mpc/domain";
import type { LogLine, LogQuery } from "@mpc/services";
import type { SimulatedDelays, SimulatedWorkload } from "./simulated_objects.ts";
import { behaviourOf } from "./image_behaviour.ts";
import { CRASH_LINE, podName, replicaMs } from "./rollout.ts";

/** The interval between two lines of a running replica. */
const LINE_INTERVAL_MS = 5_000;

/** The most lines of one replica; older lines are dropped. */
const MAX_LINES = 1_000;

export const replicasOf = (workload: SimulatedWorkload): readonly string[] =>
  Array.from({ length: workload.intent.spec.replicas }, (_, index) => podName(workload, index));

/** The lines that the replicas of a workload print in `(after, until]`, in order of time. */
export function linesBetween(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  query: Pick<LogQuery, "tail" | "replica">,
  after: Instant,
  until: Instant,
): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const [index, replica] of replicasOf(workload).entries()) {
    if (query.replica !== null && query.replica !== replica) continue;
    const printed = linesOf(workload, delays, index, until)
      .filter(({ time }) => time > after)
      .map((line) => ({ replica, ...line }));
    lines.push(...(query.tail === null ? printed : printed.slice(-query.tail)));
  }
  return lines.sort((a, b) => a.time - b.time);
}

/** The time of the next line; undefined if there will be none. */
export function nextLineTime(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  now: Instant,
): Instant | undefined {
  if (isSilent(workload)) return undefined;
  let next: Instant | undefined;
  for (let index = 0; index < workload.intent.spec.replicas; index++) {
    const start = startTime(workload, delays, index);
    const time = now < start
      ? start
      : start + (Math.floor((now - start) / LINE_INTERVAL_MS) + 1) * LINE_INTERVAL_MS;
    next = Math.min(next ?? time, time);
  }
  return next;
}

function linesOf(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  index: number,
  until: Instant,
): readonly { time: Instant; text: string }[] {
  const start = startTime(workload, delays, index);
  if (until < start || isSilent(workload)) return [];
  const first = { time: start, text: `starting ${workload.intent.spec.image}` };
  if (behaviourOf(workload.intent.spec) === "crash") {
    return [first, { time: start, text: CRASH_LINE }];
  }
  const count = Math.floor((until - start) / LINE_INTERVAL_MS);
  const skipped = Math.max(0, count - MAX_LINES);
  const lines = Array.from({ length: count - skipped }, (_, line) => ({
    time: start + (skipped + line + 1) * LINE_INTERVAL_MS,
    text: `served ${(skipped + line + 1) * 10} requests`,
  }));
  return skipped > 0 ? lines : [first, ...lines];
}

function startTime(workload: SimulatedWorkload, delays: SimulatedDelays, index: number): Instant {
  const wait = Math.max(0, index + 1 - workload.kept) * replicaMs(workload, delays);
  return workload.rolloutTime + wait;
}

function isSilent(workload: SimulatedWorkload): boolean {
  const behaviour = behaviourOf(workload.intent.spec);
  return behaviour === "missing" || behaviour === "unschedulable";
}
