import { readFile } from "node:fs/promises";
import { configureSync, getLogger, type Logger, type LogRecord, resetSync } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { jsonLine, type LineFormat, prettyLine } from "./format_line.ts";
import { LineWriter } from "./line_writer.ts";
import { type LogCategory, type LogLevel, type LogLevels, parseLogLevels } from "./log_levels.ts";

const log = getLogger(["mpc", "log"]);

/** How often a file of levels is read. */
const LOOK_MS = 1_000;

/** What is logged, and how. */
export interface LogSettings {
  readonly levels: LogLevels;
  /** Lines of JSON, or lines for people. */
  readonly format: "json" | "pretty";
  /** Path of a file of levels, which goes before `levels` and is read again when it changes. */
  readonly levelFile: string | null;
}

/** Changes with each change of levels, so that what a level allows is asked once. */
let generation = 0;

let writer: LineWriter | undefined;

/** How many log lines this process has lost, because they could not be written. */
export const lostLogLines = (): number => writer?.dropped ?? 0;

let sinkNow: (record: LogRecord) => void = () => {};

/** Lines of one category and level, for code that runs for each call. */
export interface FrequentLog {
  /** Kept until the levels change, because asking LogTape costs more than a small call does. */
  isEnabled(): boolean;
  /** Logs a line if that is enabled; a record by LogTape would cost as much as a small call. */
  write(rawMessage: string, properties: Record<string, unknown>): void;
}

/** The log of lines that are written often. */
export function frequentLog(category: LogCategory, level: Exclude<LogLevel, "off">): FrequentLog {
  const path = ["mpc", ...category.split(".")];
  const logger = getLogger(path);
  let [askedAt, enabled] = [-1, false];
  const isEnabled = () => {
    if (askedAt !== generation) {
      askedAt = generation;
      enabled = logger.isEnabledFor(level);
    }
    return enabled;
  };
  return {
    isEnabled,
    write(rawMessage, properties) {
      if (!isEnabled()) return;
      sinkNow({
        category: path,
        level,
        message: [],
        rawMessage,
        properties,
        timestamp: Date.now(),
      });
    },
  };
}

/** Sends log records of these levels to a sink, instead of where they went before. */
export function setLogging(levels: LogLevels, sink: (record: LogRecord) => void): void {
  const loggerOf = (category: readonly string[], level: LogLevel) => ({
    category: [...category],
    lowestLevel: level === "off" ? null : level,
    sinks: ["lines"],
    // A category may log more than the ones around it.
    parentSinks: "override" as const,
  });
  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
      loggerOf(["mpc"], levels.base),
      ...Object.entries(levels.categories).map(([category, level]) =>
        loggerOf(["mpc", ...category.split(".")], level)
      ),
    ],
  });
  sinkNow = sink;
  generation++;
}

/** Ends logging. */
export function resetLogging(): void {
  resetSync();
  sinkNow = () => {};
  generation++;
}

/** The running log of a process. */
export interface Logging {
  /** @returns whether every line is written; false if standard output does not take them */
  close(): Promise<boolean>;
}

/**
 * Begins to log to standard output.
 * @param by.isTerminal whether lines for people may have colors
 */
export function startLogging(
  { levels, format, levelFile }: LogSettings,
  by: { readonly clock: Clock; readonly isTerminal: boolean },
): Logging {
  const line: LineFormat = format === "json" ? jsonLine : prettyLine({ color: by.isTerminal });
  const lines = new LineWriter(Deno.stdout, (count) => line(lostRecord(count, by.clock.now())));
  writer = lines;
  const sink = (record: LogRecord) => lines.write(line(record));
  setLogging(levels, sink);
  const stop = new AbortController();
  const following = levelFile === null ? Promise.resolve() : followLevels(levelFile, {
    ...{ clock: by.clock, signal: stop.signal, levels },
    change: (changed) => setLogging(changed, sink),
  });
  return {
    async close() {
      stop.abort();
      await following;
      return await lines.close();
    },
  };
}

const lostRecord = (count: number, timestamp: number): LogRecord => ({
  category: ["mpc", "log"],
  level: "warning",
  message: [],
  rawMessage: "{count} log lines were lost, because they could not be written",
  properties: { count },
  timestamp,
});

/** Applies the levels of a file now, and whenever it changes. Wrong content changes nothing. */
async function followLevels(
  path: string,
  { clock, signal, levels, change }: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** What applies without the file. */
    readonly levels: LogLevels;
    readonly change: (levels: LogLevels) => void;
  },
): Promise<void> {
  let [seen, problem]: [string | undefined, string] = [undefined, ""];
  do {
    try {
      const text = await readFile(path, { encoding: "utf8", signal });
      if (text === seen) continue;
      seen = text;
      const parsed = parseLogLevels(text, levels.base);
      if (typeof parsed === "string") throw new Error(`it ${parsed}`);
      change(parsed);
      problem = "";
      tellLevels(log, path, parsed);
    } catch (error) {
      if (signal.aborted) return;
      const { message } = recordError(error);
      if (message === problem) continue;
      problem = message;
      log.error("Cannot use the log levels of {path}, so they stay as they are: {problem}", {
        path,
        problem,
      });
    }
  } while (await sleepUnlessAborted(clock, LOOK_MS, signal));
}

function tellLevels(logger: Logger, path: string, { base, categories }: LogLevels): void {
  const levels = [base, ...Object.entries(categories).map((pair) => pair.join("="))].join(",");
  logger.warning("The log levels of {path} are in force: {levels}", { path, levels });
}
