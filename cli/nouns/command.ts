/** How the commands of the tree are built. */
import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type CliConfig, type GlobalFlags, readConfig } from "../config/read_config.ts";
import type { CommandContext } from "../context.ts";
import { count, duration, nonEmpty } from "../flags/parse_flag.ts";
import type { Host } from "../host/mod.ts";
import type { Terminal } from "../host/terminal.ts";
import { FORMAT_HELP } from "../output/format.ts";

/** What a command needs to run. */
export interface Runner {
  readonly terminal: Terminal;
  readonly host: Host;
  /** Receives the configuration as soon as it is known. */
  configured(config: CliConfig): void;
  /** The words of the command, such as `mpctl env create`. */
  readonly command: () => string;
  /** Receives the words of the command before its body runs. */
  chosen(command: string): void;
  /** Receives the exit code. */
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
  if (!flags.trace && !isExporting()) {
    runner.exit(await body({ config, terminal, host }));
    return;
  }
  const { CommandTrace } = await import("../trace/command_trace.ts");
  const trace = new CommandTrace(runner.command(), { isExported: isExporting() });
  try {
    const tracer = trace.calls;
    runner.exit(await trace.run(() => body({ config: { ...config, tracer }, terminal, host })));
  } finally {
    if (flags.trace) {
      const { drawTrace } = await import("../trace/draw_trace.ts");
      terminal.err(drawTrace(trace));
    }
  }
}

/**
 * Whether OpenTelemetry is registered in this process: by Deno for `OTEL_DENO=true`, in Node by an
 * SDK that the user has loaded. Asked without loading its API, which most runs do not need.
 */
const isExporting = (): boolean => Reflect.has(globalThis, Symbol.for("opentelemetry.js.api.1"));

/** Runs the body of a command that does not call the server. */
export async function runLocally(
  { terminal, host, exit }: Runner,
  body: (terminal: Terminal, host: Host) => Promise<number>,
): Promise<void> {
  exit(await body(terminal, host));
}

const EXAMPLES = new WeakMap<object, readonly string[]>();

/** The examples in a command's help. */
export const examplesOf = (command: object): readonly string[] => EXAMPLES.get(command) ?? [];

const SERVER = [
  "--server <url>",
  "address of the API; default: MPC_SERVER, the profile's, or http://127.0.0.1:8080",
] as const;
const PROFILE = [
  "--profile <name>",
  "a profile of 'mpctl config'; default: MPC_PROFILE",
  nonEmpty,
] as const;
const OUTPUT = ["-o, --output <format>", FORMAT_HELP] as const;
const REQUEST_TIMEOUT = [
  "--request-timeout <duration>",
  "how long to wait for an answer; default: 30s",
] as const;
/** Shown in the help of mpctl and of nouns, and accepted everywhere. */
const TLS = [
  ["--ca-file <path>", "authorities to trust for the server's certificate; default: MPC_CA_FILE"],
  ["--client-certificate <path>", "certificate to show; default: MPC_CLIENT_CERTIFICATE"],
  ["--client-key <path>", "key of the certificate; default: MPC_CLIENT_KEY"],
] as const;
const TRACE = ["--trace", "print the trace id, and what took how long"] as const;
const NO_HEADERS = ["--no-headers", "print tables without headers"] as const;

/**
 * Accepts the global flags also before the noun or the verb, like kubectl and gh.
 */
export function takesFlagsBefore<C extends CommandUnknownOpts>(parent: C): C {
  parent.enablePositionalOptions()
    .option(...SERVER)
    .option(...PROFILE)
    .option(...OUTPUT)
    .option(...REQUEST_TIMEOUT, duration)
    .option(...NO_HEADERS)
    .option(...TLS[0], nonEmpty)
    .option(...TLS[1], nonEmpty)
    .option(...TLS[2], nonEmpty)
    .option(...TRACE)
    .hook("preAction", (_, leaf) => {
      for (const [name, value] of Object.entries(parent.opts())) {
        // The flag nearest to the command wins.
        const given = parent.getOptionValueSource(name) === "cli" &&
          leaf.getOptionValueSource(name) !== "cli";
        if (given && takes(leaf, name)) leaf.setOptionValueWithSource(name, value, "cli");
      }
    });
  return parent;
}

const takes = (command: CommandUnknownOpts, name: string): boolean =>
  command.options.some((option) => option.attributeName() === name);

/** A command with the global flags, and with examples in its help. */
export function command(name: string, description: string, examples: readonly string[]) {
  const made = new Command(name);
  EXAMPLES.set(made, examples);
  return made
    .description(description)
    .option(...SERVER)
    .option(...PROFILE)
    .option(...OUTPUT)
    .option(...REQUEST_TIMEOUT, duration)
    .option(...NO_HEADERS)
    .addOption(new Option(...TLS[0]).argParser(nonEmpty).hideHelp())
    .addOption(new Option(...TLS[1]).argParser(nonEmpty).hideHelp())
    .addOption(new Option(...TLS[2]).argParser(nonEmpty).hideHelp())
    .addOption(new Option(...TRACE).hideHelp())
    .addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
}

/** The flag of commands that can watch what they read. */
export const WATCH = ["-w, --watch", "also print each change, until ctrl-C or deletion"] as const;

/** The flag that limits a watch. */
export const WATCH_TIMEOUT = ["--timeout <duration>", "stop watching", duration] as const;

/** Flags that conflict with others. */
export const NO_WAIT = new Option("--no-wait", "return when the change is admitted")
  .conflicts("timeout");
export const DRY_RUN = new Option("--dry-run", "show what would change, and change nothing")
  .conflicts(["wait", "timeout", "planHash"]);

export const ABANDON = new Option(
  "--abandon",
  "delete the record without waiting for the cluster",
).conflicts("deadline");

/** A command that changes something and waits for the operation. */
export function changeCommand(name: string, description: string, examples: readonly string[]) {
  return command(name, description, examples)
    .addOption(NO_WAIT)
    .option("--timeout <duration>", "stop waiting; the operation continues", duration)
    .addOption(DRY_RUN)
    .option("--plan-hash <hash>", "reject if the state has changed since that plan", nonEmpty);
}

/** The flag of lists of resources with labels. */
export const SELECTOR = [
  "-l, --selector <labels>",
  "labels, such as team=web,tier!=db,!old",
] as const;

/** A command that lists. */
export function listCommand(name: string, description: string, examples: readonly string[]) {
  return command(name, description, examples)
    .option("--filter <filter>", "an AIP-160 filter, such as 'state = READY'")
    .option("--sort-by <fields>", "such as 'create_time desc'")
    .option("--limit <n>", "maximum number of results", count);
}

/** Rejects a flag together with its `--no-` form; otherwise the last one would win. */
export function eitherWay<C extends CommandUnknownOpts>(command: C, flag: string): C {
  const said = new Set<string>();
  for (const way of [flag, `no-${flag}`]) {
    command.on(`option:${way}`, () => {
      if (said.add(way).size === 1) return;
      command.error(`error: option '--${flag}' cannot be used with option '--no-${flag}'`);
    });
  }
  return command;
}

/** The flag of commands on a workload. */
export const ENV = ["--env <environment>", "environment of the workload", nonEmpty] as const;

/** The flag of changes that may be tied to the version that was seen. */
export const ETAG = [
  "--etag <etag>",
  "refuse when the resource has another version, or with '*' when there is none",
  nonEmpty,
] as const;

export const FORCE_CONFLICTS = [
  "--force-conflicts",
  "take fields over that somebody else manages on the cluster",
] as const;

/** A noun, with its verbs. */
export function noun(name: string, alias: string, description: string) {
  const made = takesFlagsBefore(new Command(name).description(description));
  return alias === "" ? made : made.alias(alias);
}
