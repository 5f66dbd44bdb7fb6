import type { CliConfig } from "./config.ts";
import type { Host } from "./host/mod.ts";
import type { Terminal } from "./terminal.ts";

/** What every command gets. */
export interface CommandContext {
  readonly config: CliConfig;
  readonly terminal: Terminal;
  readonly host: Host;
}
