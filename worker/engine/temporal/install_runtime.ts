import { getLogger } from "@logtape/logtape";
import { type LogLevel, makeTelemetryFilterString, Runtime } from "@temporalio/worker";

const LEVELS = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "debug",
  WARN: "info",
  ERROR: "error",
} as const;

let installed = false;

/**
 * Sends the log of Temporal's library to our log, and leaves signals to `main.ts`. Its warnings
 * report every failed attempt of a step, which the journal has anyway, so they are logged as
 * information.
 */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  const logger = getLogger(["mpc", "temporal", "sdk"]);
  const log = (level: LogLevel, message: string, meta: object = {}) =>
    logger[LEVELS[level]](message, meta as Record<string, unknown>);
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
