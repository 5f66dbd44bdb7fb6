import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import type { LogMetadata } from "@temporalio/common";
import { type LogLevel, makeTelemetryFilterString, Runtime } from "@temporalio/worker";
import { innermost } from "./engine_errors.ts";
import { Repetitions } from "./repetitions.ts";

const LEVELS = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "debug",
  WARN: "info",
  ERROR: "error",
} as const;

/** The attributes of a log line that say what it is about. Arguments and results are not among them. */
const ATTRIBUTES = [
  "workflowId",
  "workflowType",
  "activityType",
  "activityId",
  "attempt",
  "taskQueue",
  "error",
] as const;

let installed = false;

/**
 * Sends the log of Temporal's library to our log, and leaves signals to `main.ts`. Its warnings
 * report every failed attempt of a step, which the journal has anyway, so they are logged as
 * information. Without a connection it repeats itself: a repeated line is counted.
 */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  const logger = getLogger(["mpc", "temporal", "sdk"]);
  const repetitions = new Repetitions(systemClock);
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}) => {
    const text = sdkLogText(message, meta);
    const repeated = repetitions.of(`${level} ${text}`);
    if (repeated === null) return;
    logger[LEVELS[level]]("{text}", {
      text: repeated > 0 ? `${text} (and ${repeated} times before)` : text,
    });
  };
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: "WARN" }), forward: {} },
    },
    logger: {
      log,
      trace: (message, meta) => log("TRACE", message, meta),
      debug: (message, meta) => log("DEBUG", message, meta),
      info: (message, meta) => log("INFO", message, meta),
      warn: (message, meta) => log("WARN", message, meta),
      error: (message, meta) => log("ERROR", message, meta),
    },
  });
}

/** A line of Temporal's library with what it is about. */
export function sdkLogText(message: string, meta: LogMetadata): string {
  const told = ATTRIBUTES.flatMap((name) => {
    const value = meta[name];
    if (value === undefined || value === null || value === "") return [];
    const text = value instanceof Error ? recordError(value).message : innermost(String(value));
    return [`${name} ${text}`];
  });
  return told.length > 0 ? `${message} (${told.join(", ")})` : message;
}
