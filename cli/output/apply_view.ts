import type { Operation } from "@mpc/proto";
import colors from "picocolors";
import type { CommandContext } from "../context.ts";
import { LiveRegion } from "./live_region.ts";
import { lineProgress, type Progress } from "./progress.ts";
import { currentStep, SPINNER } from "./steps.ts";
import { padTo, type TextWidth, textWidth, truncateTo } from "./text_width.ts";
import { elapsed } from "./time.ts";

const FRAME_MS = 100;

/** How far the change of a resource is. */
export type Phase = "waiting" | "running" | "done" | "failed" | "stopped";

/** Shows many changes while they run. */
export interface ApplyView {
  /** The change of a resource begins or ends; `word` is its state, such as `creating`. */
  phase(name: string, phase: Phase, word: string): void;
  /** The operation of a resource has changed. */
  show(name: string, operation: Operation): void | Promise<void>;
  /** Reports an error of one resource, with its line feeds. */
  report(text: string): void;
  note(text: string): void;
  /** Leaves the last state on the screen, and prints what was reported. */
  end(): void;
}

/** One live line for each resource on a terminal; otherwise a line for each change. */
export async function createApplyView(
  { terminal, config }: CommandContext,
  names: readonly string[],
): Promise<ApplyView> {
  if (!terminal.draws) return plain(terminal);
  // The marks are not ASCII.
  return drawn(terminal, config.color, names, await textWidth(["✓", ...names]));
}

function plain(terminal: CommandContext["terminal"]): ApplyView {
  const progress = new Map<string, Progress>();
  let noted = "";
  return {
    phase() {},
    show(name, operation) {
      noted = "";
      const own = progress.get(name) ?? lineProgress(terminal, `${name}: `);
      progress.set(name, own);
      return own.show(operation);
    },
    report: (text) => terminal.err(text),
    note(text) {
      // Many followers lose the same server.
      if (text === noted) return;
      noted = text;
      terminal.err(`${text}\n`);
    },
    end() {},
  };
}

interface Row {
  readonly name: string;
  phase: Phase;
  word: string;
  operation: Operation | undefined;
  startMs: number | undefined;
  endMs: number | undefined;
}

const MARKS: Readonly<Record<Exclude<Phase, "running">, string>> = {
  waiting: "·",
  done: "✓",
  failed: "✗",
  stopped: "⊘",
};

/** The order in which rows are kept if the terminal has too few lines. */
const SHOWN_FIRST: readonly Phase[] = ["running", "failed", "stopped", "waiting", "done"];

function drawn(
  terminal: CommandContext["terminal"],
  color: boolean,
  names: readonly string[],
  widthOf: TextWidth,
): ApplyView {
  const rows = new Map(names.map((name): [string, Row] => [name, {
    name,
    phase: "waiting",
    word: "waiting",
    operation: undefined,
    startMs: undefined,
    endMs: undefined,
  }]));
  const region = new LiveRegion(terminal);
  const c = colors.createColors(color);
  const nameWidth = Math.max(0, ...names.map(widthOf));
  const reports: string[] = [];
  let frame = 0;
  let note = "";
  const lineOf = (row: Row): string => {
    const { phase, name, word, startMs, endMs, operation } = row;
    const mark = phase === "running" ? SPINNER[frame % SPINNER.length]! : MARKS[phase];
    const took = startMs === undefined ? "" : elapsed((endMs ?? performance.now()) - startMs);
    const step = operation && phase !== "done" ? currentStep(operation, Date.now()) : "";
    const cells = [mark, padTo(nameWidth, name, widthOf), word, took, step];
    const text = truncateTo(terminal.columns - 1, cells.filter(Boolean).join(" "), widthOf);
    switch (phase) {
      case "done":
        return c.green(text);
      case "failed":
        return c.red(text);
      case "waiting":
        return c.dim(text);
      case "running":
        return c.cyan(text);
      case "stopped":
        return c.yellow(text);
    }
  };
  const draw = (all = false) => {
    const { shown, hidden } = all
      ? { shown: [...rows.values()], hidden: "" }
      : fitting([...rows.values()], terminal.rows - 2 - (note === "" ? 0 : 1));
    const extra = [hidden, note].filter((text) => text !== "")
      .map((text) => truncateTo(terminal.columns - 1, text, widthOf));
    region.draw([...shown.map(lineOf), ...extra]);
  };
  const timer = setInterval(() => {
    frame++;
    draw();
  }, FRAME_MS);
  return {
    phase(name, phase, word) {
      const row = rows.get(name);
      if (!row) return;
      if (phase === "running") row.startMs ??= performance.now();
      else row.endMs = performance.now();
      row.phase = phase;
      row.word = word;
      draw();
    },
    show(name, operation) {
      const row = rows.get(name);
      if (row) row.operation = operation;
      note = "";
      draw();
    },
    report: (text) => void reports.push(text),
    note(text) {
      note = text;
      draw();
    },
    end() {
      clearInterval(timer);
      note = "";
      draw(true);
      for (const text of reports) terminal.err(text);
    },
  };
}

/** The rows that fit into so many lines, in their order, and a text about the others. */
function fitting(
  rows: readonly Row[],
  lines: number,
): { readonly shown: readonly Row[]; readonly hidden: string } {
  if (rows.length <= lines) return { shown: rows, hidden: "" };
  const byUrgency = SHOWN_FIRST.flatMap((phase) => rows.filter((row) => row.phase === phase));
  const kept = new Set(byUrgency.slice(0, Math.max(1, lines - 1)));
  const hidden = rows.filter((row) => !kept.has(row));
  const counts = SHOWN_FIRST.map((phase) => {
    const count = hidden.filter((row) => row.phase === phase).length;
    return count === 0 ? "" : `${count} ${phase}`;
  }).filter((text) => text !== "");
  return { shown: rows.filter((row) => kept.has(row)), hidden: `… and ${counts.join(", ")}` };
}
