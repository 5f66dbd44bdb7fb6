import type { Instant } from "@mpc/domain";
import type { LogLine, LogQuery } from "@mpc/services";
import type { SimulatedWorkload } from "./cluster_state.ts";
import type { SimulatedDelays } from "./delays.ts";
import { behaviourOf } from "./behaviour.ts";
import { CRASH_LINE, podName, replicaMs } from "./rollout.ts";

/** A running replica prints a line this often. */
const LINE_EVERY_MS = 5_000;

/** Most lines that are made up for one replica, the newest. */
const MAX_LINES = 1_000;

/** The names of a workload's replicas. */
export const replicasOf = (workload: SimulatedWorkload): readonly string[] =>
  Array.from({ length: workload.intent.spec.replicas }, (_, index) => podName(workload, index));

/** What the replicas of a workload have printed in `(after, until]`, in order of time. */
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

/** When the next line comes; undefined where none will. */
export function nextLineTime(
  workload: SimulatedWorkload,
  delays: SimulatedDelays,
  now: Instant,
): Instant | undefined {
  if (silent(workload)) return undefined;
  let next: Instant | undefined;
  for (let index = 0; index < workload.intent.spec.replicas; index++) {
    const start = startTime(workload, delays, index);
    const time = now < start
      ? start
      : start + (Math.floor((now - start) / LINE_EVERY_MS) + 1) * LINE_EVERY_MS;
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
  if (until < start || silent(workload)) return [];
  const first = { time: start, text: `starting ${workload.intent.spec.image}` };
  if (behaviourOf(workload.intent.spec) === "crash") {
    return [first, { time: start, text: CRASH_LINE }];
  }
  const count = Math.floor((until - start) / LINE_EVERY_MS);
  const skipped = Math.max(0, count - MAX_LINES);
  const beats = Array.from({ length: count - skipped }, (_, beat) => ({
    time: start + (skipped + beat + 1) * LINE_EVERY_MS,
    text: `served ${(skipped + beat + 1) * 10} requests`,
  }));
  return skipped > 0 ? beats : [first, ...beats];
}

function startTime(workload: SimulatedWorkload, delays: SimulatedDelays, index: number): Instant {
  const wait = Math.max(0, index + 1 - workload.kept) * replicaMs(workload, delays);
  return workload.rolloutTime + wait;
}

function silent(workload: SimulatedWorkload): boolean {
  const behaviour = behaviourOf(workload.intent.spec);
  return behaviour === "missing" || behaviour === "unschedulable";
}
