/** Where the time of an operation went, formatted for people. */
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Operation, OperationStep } from "@mpc/proto";
import { renderTable } from "./table.ts";
import { elapsed } from "./time.ts";

/** The columns of the bar of the longest part. */
const BAR_COLUMNS = 20;

interface Part {
  readonly name: string;
  readonly ms: number;
  readonly detail: string;
}

/**
 * How long an operation waited to begin, and how long each step took, as lines with a bar for each.
 * Empty for an operation that has not begun.
 */
export async function timings(operation: Operation, now: number): Promise<readonly string[]> {
  const { createTime, startTime, endTime, steps } = operation;
  if (!createTime || !startTime) return [];
  const whole = msBetween(createTime, endTime, now);
  const parts: readonly Part[] = [
    { name: "(waited to begin)", ms: msBetween(createTime, startTime, now), detail: "" },
    ...steps.filter(({ startTime }) => startTime).map((step) => ({
      name: step.name,
      ms: msBetween(step.startTime, step.endTime, now),
      detail: attemptsOf(step, now),
    })),
  ];
  const longest = Math.max(1, ...parts.map(({ ms }) => ms));
  const rows = parts.map(({ name, ms, detail }) => [
    `  ${name}`,
    elapsed(ms),
    `${Math.round(100 * ms / Math.max(1, whole))}%`,
    "#".repeat(Math.round(BAR_COLUMNS * ms / longest)),
    detail,
  ]);
  const title = `Where the time went, ${elapsed(whole)} in all:`;
  return [title, ...(await renderTable([], rows, false)).trimEnd().split("\n")];
}

/** What made a step long: further attempts, the pauses between them, and its undo. */
function attemptsOf({ attempts }: OperationStep, now: number): string {
  const undos = attempts.filter(({ undo }) => undo);
  const runs = attempts.length - undos.length;
  const pauses = attempts.slice(1).reduce((sum, { startTime }, at) => {
    const before = attempts[at]!;
    // Between the end of a step and its undo, other steps ran.
    return before.undo === attempts[at + 1]!.undo
      ? sum + msBetween(before.endTime, startTime, now)
      : sum;
  }, 0);
  const undone = undos.reduce(
    (sum, { startTime, endTime }) => sum + msBetween(startTime, endTime, now),
    0,
  );
  return [
    ...(runs > 1 ? [`${runs} attempts`] : []),
    ...(pauses > 0 ? [`${elapsed(pauses)} of pauses`] : []),
    ...(undos.length > 0 ? [`${elapsed(undone)} of undo`] : []),
  ].join(", ");
}

function msBetween(start: Timestamp | undefined, end: Timestamp | undefined, now: number): number {
  return start ? Math.max(0, (end ? timestampMs(end) : now) - timestampMs(start)) : 0;
}
