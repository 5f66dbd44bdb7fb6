/** What the command trees share. */
import { Command, Option } from "@commander-js/extra-typings";
import { type CliConfig, type GlobalFlags, readConfig } from "../config.ts";
import type { CommandContext } from "../context.ts";
import { duration, integer } from "../parse_values.ts";
import type { Host } from "../host/mod.ts";
import { FORMAT_HELP } from "../output/format.ts";
import type { Terminal } from "../terminal.ts";

/** What a command is given to run with. */
export interface Runner {
  readonly terminal: Terminal;
  readonly host: Host;
  /** Told the configuration, as soon as it is known. */
  configured(config: CliConfig): void;
  /** Told what to exit with. */
  exit(code: number): void;
}

/** Runs a command's body with the context of its flags. */
export async function runWith(
  runner: Runner,
  flags: GlobalFlags,
  body: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const { terminal, host } = runner;
  const config = await readConfig(flags, host);
  runner.configured(config);
  runner.exit(await body({ config, terminal, host }));
}

/** Runs the body of a command that calls no server. */
export async function runLocally(
  { terminal, host, exit }: Runner,
  body: (terminal: Terminal, host: Host) => Promise<number>,
): Promise<void> {
  exit(await body(terminal, host));
}

const EXAMPLES = new WeakMap<object, readonly string[]>();

/** The examples in a command's help. */
export const examplesOf = (command: object): readonly string[] => EXAMPLES.get(command) ?? [];

/** A command with the flags that all have, and examples in its help. */
export function command(name: string, description: string, examples: readonly string[]) {
  const made = new Command(name);
  EXAMPLES.set(made, examples);
  return made
    .description(description)
    .option("--server <url>", "the server; MPC_SERVER, the profile's, or http://127.0.0.1:8080")
    .option("--profile <name>", "a profile of 'mpctl config'; MPC_PROFILE where not given")
    .option("-o, --output <format>", FORMAT_HELP)
    .option("--request-timeout <duration>", "give up on an answer; 30s where not given", duration)
    .option("--no-headers", "leave out the heads of tables")
    .addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
}

/** The flag of commands that can go on watching what they read. */
export const WATCH = ["-w, --watch", "go on with each change, until ctrl-C or its end"] as const;

/** Flags that say the opposite of others. */
export const NO_WAIT = new Option("--no-wait", "return when the change is admitted")
  .conflicts("timeout");
export const DRY_RUN = new Option("--dry-run", "show what would change, and change nothing")
  .conflicts(["wait", "timeout", "planHash"]);

/** A command that changes something, and waits for it. */
export function changeCommand(name: string, description: string, examples: readonly string[]) {
  return command(name, description, examples)
    .addOption(NO_WAIT)
    .option("--timeout <duration>", "wait no longer; the operation goes on", duration)
    .addOption(DRY_RUN)
    .option("--plan-hash <hash>", "refuse when the world has moved since that plan");
}

/** A command that lists. */
export function listCommand(name: string, description: string, examples: readonly string[]) {
  return command(name, description, examples)
    .option("--filter <filter>", "an AIP-160 filter, such as 'state = READY'")
    .option("-l, --selector <labels>", "labels, such as team=web,tier!=db")
    .option("--sort-by <fields>", "such as 'create_time desc'")
    .option("--limit <n>", "at most so many", integer);
}

/** A noun: nothing but its verbs. */
export function noun(name: string, alias: string, description: string) {
  const made = new Command(name).description(description);
  return alias === "" ? made : made.alias(alias);
}
