import type { CommandContext } from "./context.ts";

/** The context of a command that prints one thing after the other: JSON is then a line each. */
export function streamed(context: CommandContext): CommandContext {
  const { config } = context;
  if (config.output.kind !== "json") return context;
  return { ...context, config: { ...config, output: { kind: "jsonl" } } };
}
