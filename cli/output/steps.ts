/** The steps of an operation, formatted for people. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import colors from "picocolors";
import { type Operation, type OperationStep, StepState } from "@mpc/proto";
import { type TextWidth, truncateTo } from "./text_width.ts";
import { between, elapsed } from "./time.ts";

/** The frames of the mark of what is running. */
export const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const MARKS: Readonly<Record<StepState, string>> = {
  [StepState.UNSPECIFIED]: "?",
  [StepState.PENDING]: "·",
  [StepState.RUNNING]: "▸",
  [StepState.SUCCEEDED]: "✓",
  [StepState.FAILED]: "✗",
  [StepState.CANCELLED]: "⊘",
  [StepState.UNDOING]: "↶",
  [StepState.UNDONE]: "↩",
  [StepState.UNDO_FAILED]: "✗",
};

const WORDS: Readonly<Record<StepState, string>> = {
  [StepState.UNSPECIFIED]: "is in an unknown state",
  [StepState.PENDING]: "waits",
  [StepState.RUNNING]: "runs",
  [StepState.SUCCEEDED]: "succeeded",
  [StepState.FAILED]: "failed",
  [StepState.CANCELLED]: "was cancelled",
  [StepState.UNDOING]: "is being undone",
  [StepState.UNDONE]: "is undone",
  [StepState.UNDO_FAILED]: "could not be undone",
};

/** The reason of an attempt whose cluster does not answer. */
const CLUSTER_AWAY = "CLUSTER_UNREACHABLE";

/** One step as a line of a log, printed at each change. */
export function plainStep(step: OperationStep, now: number): string {
  const took = step.endTime ? ` (${between(step.startTime, step.endTime, now)})` : "";
  const detail = detailOf(step, now);
  return `${MARKS[step.state]} ${step.name} ${WORDS[step.state]}${took}${detail && `: ${detail}`}`;
}

/** All steps as lines for a terminal; `frame` animates the spinner. */
export function drawnSteps(
  operation: Operation,
  now: number,
  frame: number,
  columns: number,
  color: boolean,
  widthOf: TextWidth,
): readonly string[] {
  const c = colors.createColors(color);
  return operation.steps.map((step) => {
    const busy = step.state === StepState.RUNNING || step.state === StepState.UNDOING;
    const mark = busy ? SPINNER[frame % SPINNER.length]! : MARKS[step.state];
    const took = step.startTime ? ` ${between(step.startTime, step.endTime, now)}` : "";
    const detail = detailOf(step, now);
    const line = `${mark} ${step.name}${took}${detail && ` ${detail}`}`;
    const text = truncateTo(columns - 1, line, widthOf);
    switch (step.state) {
      case StepState.SUCCEEDED:
        return c.green(text);
      case StepState.FAILED:
      case StepState.UNDO_FAILED:
        return c.red(text);
      case StepState.PENDING:
        return c.dim(text);
      default:
        return busy ? c.cyan(text) : c.yellow(text);
    }
  });
}

/** The step that an operation is at, with the reason why it takes long or failed; empty if unknown. */
export function currentStep({ steps }: Operation, now: number): string {
  const inState = (...states: readonly StepState[]) =>
    steps.find(({ state }) => states.includes(state));
  const step = inState(StepState.RUNNING, StepState.UNDOING) ??
    inState(StepState.FAILED, StepState.UNDO_FAILED) ??
    steps.findLast(({ state }) => state !== StepState.PENDING);
  if (!step) return "";
  const detail = detailOf(step, now);
  return `${step.name}${detail && ` ${detail}`}`;
}

/** The attempt, the next retry and the reason, as far as they are known. */
function detailOf(step: OperationStep, now: number): string {
  const last = step.attempts.at(-1);
  const busy = step.state === StepState.RUNNING || step.state === StepState.UNDOING;
  if (!last) return step.progress;
  // The progress says since when the cluster is away, and when it is tried again.
  if (busy && last.error?.reason === CLUSTER_AWAY) return step.progress;
  if (busy && last.nextRetryTime && last.endTime) {
    const pause = elapsed(timestampMs(last.nextRetryTime) - now);
    return `attempt ${last.number + 1} in ${pause}, because ${last.error?.message ?? "it failed"}`;
  }
  const failed = step.state === StepState.FAILED || step.state === StepState.UNDO_FAILED;
  if (failed) return last.error?.message ?? "";
  const attempt = last.number > 1 ? `attempt ${last.number}` : "";
  return [attempt, busy ? step.progress : ""].filter(Boolean).join(", ");
}
