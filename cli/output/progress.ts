import { type Operation, OperationSchema, type OperationStep, StepState } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { LiveRegion } from "./live_region.ts";
import { printNext } from "./print.ts";
import { drawnSteps, plainStep } from "./steps.ts";
import { type TextWidth, textWidth, truncateTo } from "./text_width.ts";

const FRAME_MS = 100;

/** Shows an operation while it runs. */
export interface Progress {
  show(operation: Operation): void | Promise<void>;
  /** Shows a text below the steps, until the next change. */
  note(text: string): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

/** A live list of steps on a terminal; otherwise one line for each change. */
export function createProgress({ terminal, config }: CommandContext): Progress {
  return terminal.draws ? drawn(terminal, config.color) : lineProgress(terminal);
}

/** Prints each change of the operation as a result, for programs. */
export function machineProgress(context: CommandContext): Progress {
  return {
    show: (operation) => printNext(context, OperationSchema, operation),
    note: (text) => context.terminal.err(`${text}\n`),
    end() {},
  };
}

/** Prints a line at each change of a step. */
export function lineProgress(
  terminal: Pick<CommandContext["terminal"], "err">,
  prefix = "",
): Progress {
  const printed = new Map<string, string>();
  return {
    show(operation) {
      for (const step of operation.steps) {
        const key = keyOf(step);
        if (step.state === StepState.PENDING || printed.get(step.name) === key) continue;
        printed.set(step.name, key);
        terminal.err(`${prefix}${plainStep(step, Date.now())}\n`);
      }
    },
    note: (text) => terminal.err(`${text}\n`),
    end() {},
  };
}

/** The parts of a step that are printed when they change. */
function keyOf(step: OperationStep): string {
  const last = step.attempts.at(-1);
  return [step.state, last?.number, last?.undo, last?.error?.message, step.progress].join("|");
}

function drawn(terminal: CommandContext["terminal"], color: boolean): Progress {
  let current: Operation | undefined;
  let frame = 0;
  let note = "";
  let widthOf: TextWidth | undefined;
  const region = new LiveRegion(terminal);
  const draw = () => {
    if (!current || !widthOf) return;
    region.draw([
      ...drawnSteps(current, Date.now(), frame, terminal.columns, color, widthOf),
      ...(note === "" ? [] : [truncateTo(terminal.columns - 1, note, widthOf)]),
    ]);
  };
  const timer = setInterval(() => {
    frame++;
    draw();
  }, FRAME_MS);
  return {
    async show(operation) {
      // The marks of the steps are not ASCII.
      widthOf ??= await textWidth(["✓"]);
      current = operation;
      note = "";
      draw();
    },
    note(text) {
      note = text;
      draw();
    },
    end() {
      clearInterval(timer);
      draw();
    },
  };
}
