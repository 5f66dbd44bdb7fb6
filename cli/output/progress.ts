import { type Operation, OperationSchema, type OperationStep, StepState } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { printNext } from "./print.ts";
import { drawnSteps, plainStep } from "./steps.ts";

const FRAME_MS = 100;

/** Shows an operation while it runs. */
export interface Progress {
  show(operation: Operation): void | Promise<void>;
  /** Leaves the last state on the screen. */
  end(): void;
}

/** A live list of steps on a terminal, else one line for each change. */
export function createProgress({ terminal, config }: CommandContext): Progress {
  return terminal.interactive ? drawn(terminal, config.color) : lines(terminal);
}

/** Each change of the operation as a result, for programs. */
export function machineProgress(context: CommandContext): Progress {
  return {
    show: (operation) => printNext(context, OperationSchema, operation),
    end() {},
  };
}

function lines(terminal: CommandContext["terminal"]): Progress {
  const told = new Map<string, string>();
  return {
    show(operation) {
      for (const step of operation.steps) {
        const key = keyOf(step);
        if (step.state === StepState.PENDING || told.get(step.name) === key) continue;
        told.set(step.name, key);
        terminal.err(`${plainStep(step, Date.now())}\n`);
      }
    },
    end() {},
  };
}

/** What of a step is news when it changes. */
function keyOf(step: OperationStep): string {
  const last = step.attempts.at(-1);
  return [step.state, last?.number, last?.undo, last?.error?.message, step.progress].join("|");
}

function drawn(terminal: CommandContext["terminal"], color: boolean): Progress {
  let current: Operation | undefined;
  let height = 0;
  let frame = 0;
  const draw = () => {
    if (!current) return;
    const steps = drawnSteps(current, Date.now(), frame, terminal.columns, color);
    // What the terminal echoes of ctrl-C has moved the cursor to the right.
    const up = height > 0 ? `\r\x1b[${height}A` : "";
    terminal.err(`${up}${steps.map((step) => `\x1b[2K${step}\n`).join("")}`);
    height = steps.length;
  };
  const timer = setInterval(() => {
    frame++;
    draw();
  }, FRAME_MS);
  return {
    show(operation) {
      current = operation;
      draw();
    },
    end() {
      clearInterval(timer);
      draw();
    },
  };
}
