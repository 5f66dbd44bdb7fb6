import { type Operation, OperationSchema, type OperationStep, StepState } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
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
  return terminal.interactive ? drawn(terminal, config.color) : lines(terminal);
}

/** Prints each change of the operation as a result, for programs. */
export function machineProgress(context: CommandContext): Progress {
  return {
    show: (operation) => printNext(context, OperationSchema, operation),
    note: (text) => context.terminal.err(`${text}\n`),
    end() {},
  };
}

function lines(terminal: CommandContext["terminal"]): Progress {
  const printed = new Map<string, string>();
  return {
    show(operation) {
      for (const step of operation.steps) {
        const key = keyOf(step);
        if (step.state === StepState.PENDING || printed.get(step.name) === key) continue;
        printed.set(step.name, key);
        terminal.err(`${plainStep(step, Date.now())}\n`);
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
  let height = 0;
  let frame = 0;
  let note = "";
  let widthOf: TextWidth | undefined;
  const draw = () => {
    if (!current || !widthOf) return;
    const steps = [
      ...drawnSteps(current, Date.now(), frame, terminal.columns, color, widthOf),
      ...(note === "" ? [] : [truncateTo(terminal.columns - 1, note, widthOf)]),
    ];
    // The terminal's echo of ctrl-C has moved the cursor to the right.
    const up = height > 0 ? `\r\x1b[${height}A` : "";
    terminal.err(`${up}${steps.map((step) => `\x1b[2K${step}\n`).join("")}\x1b[J`);
    height = steps.length;
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
