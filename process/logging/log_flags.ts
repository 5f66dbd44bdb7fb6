import type { Command } from "@commander-js/extra-typings";
import { z } from "zod";
import type { LogSettings } from "./logging.ts";
import { logLevels } from "./log_levels.ts";

const FORMATS = ["json", "pretty"] as const;

/** The flags about logs, for {@linkcode withLogging}. */
export const LOG_FLAGS = {
  logLevel: logLevels,
  logLevelFile: z.string().min(1, "must not be empty").optional(),
  logFormat: z.enum(FORMATS, { error: `must be one of ${FORMATS.join(", ")}` }).optional(),
} as const;

type LogFlags = z.output<z.ZodObject<typeof LOG_FLAGS>>;

/** Adds the flags about logs. */
export function withLogging(command: Command<[]>, fallback = "info"): Command<[]> {
  return command
    .option(
      "--log-level <levels>",
      "debug, info, warning, error or off; also of categories: info,storage=debug",
      fallback,
    )
    .option("--log-level-file <file>", "a file of log levels, read again when it changes")
    .option("--log-format <format>", "json, or pretty, the default on a terminal");
}

/** The log settings of parsed flags. */
export const loggingOf = ({ logLevel, logLevelFile, logFormat }: LogFlags): LogSettings => ({
  levels: logLevel,
  levelFile: logLevelFile ?? null,
  format: logFormat ?? (Deno.stdout.isTerminal() ? "pretty" : "json"),
});
