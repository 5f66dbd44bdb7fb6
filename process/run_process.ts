import process from "node:process";
import { isMpcError } from "@mpc/domain";
import { type Logging, type LogSettings, startLogging } from "./logging/logging.ts";
import { systemClock } from "./system_clock.ts";
import { outsideTraces } from "./tracing.ts";

/** A process of the platform. */
export interface Program<Config extends { readonly logging: LogSettings }, Running> {
  /** Undefined if only help was requested. */
  readonly readConfig: (args: readonly string[]) => Config | undefined;
  readonly start: (config: Config) => Promise<Running & { close(): Promise<void> }>;
  /** What is printed once it runs; on standard error if standard output has lines of JSON. */
  readonly welcome: (config: Config, running: Running) => string;
  /** Printed when the process receives a signal to stop. */
  readonly goodbye: string;
}

/**
 * Starts a program, and runs it until SIGINT or SIGTERM.
 * @returns the exit code: 2 for wrong usage, 1 if it cannot start
 */
export async function runProcess<Config extends { readonly logging: LogSettings }, Running>(
  program: Program<Config, Running>,
  args: readonly string[],
): Promise<number> {
  let log: Logging | undefined;
  const code = await exitCodeOf(async () => {
    const config = program.readConfig(args);
    if (!config) return;
    const { logging } = config;
    log = startLogging(logging, { clock: systemClock, isTerminal: Deno.stdout.isTerminal() });
    const print = logging.format === "json" ? console.error : console.log;
    const running = await outsideTraces(() => program.start(config));
    const stopped = untilStopped();
    print(program.welcome(config, running));
    await stopped;
    print(program.goodbye);
    await running.close();
  });
  const isLogWritten = await log?.close() ?? true;
  // A write that nobody reads would keep the process alive.
  if (!isLogWritten) process.exit(code);
  return code;
}

async function exitCodeOf(run: () => Promise<void>): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    console.error(`Error: ${error.message}`);
    return error.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
