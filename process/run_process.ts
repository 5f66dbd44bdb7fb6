import process from "node:process";
import { configure, getConsoleSink } from "@logtape/logtape";
import { isMpcError } from "@mpc/domain";
import { logLine } from "./log_line.ts";
import type { LogLevel } from "./settings.ts";
import { outsideTraces } from "./tracing.ts";

/** A process of the platform. */
export interface Program<Config extends { readonly logLevel: LogLevel }, Running> {
  /** Undefined if only help was requested. */
  readonly readConfig: (args: readonly string[]) => Config | undefined;
  readonly start: (config: Config) => Promise<Running & { close(): Promise<void> }>;
  /** What is printed once it runs. */
  readonly welcome: (config: Config, running: Running) => string;
  /** Printed when the process receives a signal to stop. */
  readonly goodbye: string;
}

/**
 * Starts a program, and runs it until SIGINT or SIGTERM.
 * @returns the exit code: 2 for wrong usage, 1 if it cannot start
 */
export async function runProcess<Config extends { readonly logLevel: LogLevel }, Running>(
  program: Program<Config, Running>,
  args: readonly string[],
): Promise<number> {
  try {
    const config = program.readConfig(args);
    if (!config) return 0;
    await startLogging(config.logLevel);
    const running = await outsideTraces(() => program.start(config));
    const stopped = untilStopped();
    console.log(program.welcome(config, running));
    await stopped;
    console.log(program.goodbye);
    await running.close();
    return 0;
  } catch (error) {
    if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    console.error(`Error: ${error.message}`);
    return error.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

async function startLogging(lowestLevel: LogLevel): Promise<void> {
  await configure({
    sinks: { stderr: getConsoleSink({ formatter: logLine }) },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
      { category: "mpc", lowestLevel, sinks: ["stderr"] },
    ],
  });
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
