import { z } from "zod";

export const LOG_LEVELS = ["debug", "info", "warning", "error", "off"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The categories of log lines; each may have a level of its own. */
export const LOG_CATEGORIES = [
  "access",
  "api",
  "audit",
  "authentication",
  "claims",
  "codec",
  "dispatcher",
  "doors",
  "drift",
  "engine",
  "events_out",
  "expiry",
  "grpc",
  "housekeeping",
  "internal",
  "janitor",
  "kubernetes",
  "kubernetes.rollout",
  "kubernetes.watch",
  "log",
  "metrics",
  "rpc",
  "steps",
  "storage",
  "temporal",
  "temporal.sdk",
  "tls",
  "tokens",
  "web",
  "worker",
] as const;

export type LogCategory = (typeof LOG_CATEGORIES)[number];

/** From which level on lines are written. */
export interface LogLevels {
  readonly base: LogLevel;
  /** Of a category and the categories within it: `kubernetes` covers `kubernetes.watch`. */
  readonly categories: Readonly<Partial<Record<LogCategory, LogLevel>>>;
}

const isLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

const isCategory = (text: string): text is LogCategory =>
  LOG_CATEGORIES.some((category) => category === text);

/**
 * Parses `info,storage=debug`: a level for everything, then levels of categories, in any order. Words
 * may also be on lines of their own, with comments after `#`, as in a file of levels.
 * @returns what is wrong, after the name of the flag or file, if the text is not valid
 */
export function parseLogLevels(text: string, fallback: LogLevel = "info"): LogLevels | string {
  let base = fallback;
  const categories: Partial<Record<LogCategory, LogLevel>> = {};
  const words = text.replaceAll(/#.*$/gm, "").split(/[\s,]+/).filter((word) => word !== "");
  for (const word of words) {
    const [first = "", level] = word.split("=", 2);
    if (!isLevel(level ?? first)) {
      const where = level === undefined ? "" : `, or CATEGORY=LEVEL such as storage=debug`;
      return `must be one of ${LOG_LEVELS.join(", ")}${where}`;
    }
    if (level === undefined) base = first as LogLevel;
    else if (isCategory(first)) categories[first] = level as LogLevel;
    else return `has no category '${first}'; there are ${LOG_CATEGORIES.join(", ")}`;
  }
  return { base, categories };
}

/** The setting of log levels, as a flag has it. */
export const logLevels = z.string().transform((text, context) => {
  const levels = parseLogLevels(text);
  if (typeof levels !== "string") return levels;
  context.addIssue(levels);
  return z.NEVER;
});
