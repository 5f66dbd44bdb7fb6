import { getLogger } from "@logtape/logtape";
import { recordError } from "@mpc/domain";
import { freePort, systemClock } from "@mpc/process";
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

/** Where the library serves its metrics; undefined before it runs. */
let metricsAddress: string | undefined;

/** How long the library may take to answer with its metrics. */
const METRICS_MS = 2_000;

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
      metrics: {
        attachServiceName: false,
        prometheus: {
          // Read again whenever the library starts anew, which it does after each lost connection:
          // the port before may not be free yet.
          get bindAddress() {
            metricsAddress = `127.0.0.1:${freePort()}`;
            return metricsAddress;
          },
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
        },
      },
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

/**
 * The metrics of Temporal's library in Prometheus' text format, from its own exporter; empty while it
 * has no connection.
 */
export async function sdkMetrics(): Promise<string> {
  if (metricsAddress === undefined) return "";
  try {
    const signal = AbortSignal.timeout(METRICS_MS);
    const response = await fetch(`http://${metricsAddress}/metrics`, { signal });
    return await response.text();
  } catch (error) {
    getLogger(["mpc", "temporal"]).debug("Cannot read the metrics of Temporal's library: {error}", {
      error: recordError(error),
    });
    return "";
  }
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
