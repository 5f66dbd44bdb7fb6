import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { EXIT_HELP } from "./errors/cli_error.ts";
import { type Runner, takesFlagsBefore } from "./nouns/command.ts";

const HELP = `
${EXIT_HELP}

Examples:
  mpctl env create dev --ttl 8h --label team=web
  mpctl workload deploy web --env dev --image nginxinc/nginx-unprivileged:1.27 --replicas 2 --port 8080
  mpctl op list`;

/** A noun. Its verbs are created only if the command line names it. */
interface Noun {
  readonly names: readonly [string, ...string[]];
  readonly description: string;
  readonly load: (runner: Runner) => Promise<CommandUnknownOpts>;
}

const NOUNS: readonly Noun[] = [
  {
    names: ["env", "environment"],
    description: "Environments: places to run workloads",
    load: async (runner) => (await import("./nouns/env.ts")).envCommands(runner),
  },
  {
    names: ["workload", "wl"],
    description: "Workloads: programs inside environments",
    load: async (runner) => (await import("./nouns/workload.ts")).workloadCommands(runner),
  },
  {
    names: ["op", "operation"],
    description: "Operations: durable changes, running and past",
    load: async (runner) => (await import("./nouns/op.ts")).opCommands(runner),
  },
  {
    names: ["event"],
    description: "Events: the log of all changes, in order",
    load: async (runner) => (await import("./nouns/event.ts")).eventCommands(runner),
  },
  {
    names: ["sink"],
    description: "Event sinks: receivers of events, and what they did not take",
    load: async (runner) => (await import("./nouns/sink.ts")).sinkCommands(runner),
  },
  {
    names: ["audit"],
    description: "Audit: who asked for what, and what came of it",
    load: async (runner) => (await import("./nouns/audit.ts")).auditCommands(runner),
  },
  {
    names: ["apply"],
    description: "Create or update environments and workloads from files",
    load: async (runner) => (await import("./nouns/apply.ts")).applyCommand(runner),
  },
  {
    names: ["plan"],
    description: "Show what apply would do",
    load: async (runner) => (await import("./nouns/apply.ts")).planCommand(runner),
  },
  {
    names: ["diff"],
    description: "Show where the platform differs from files",
    load: async (runner) => (await import("./nouns/apply.ts")).diffCommand(runner),
  },
  {
    names: ["auth"],
    description: "Access: what you, or others, may do",
    load: async (runner) => (await import("./nouns/auth.ts")).authCommands(runner),
  },
  {
    names: ["doctor"],
    description: "Check the platform's invariants, and say how to repair violations",
    load: async (runner) => (await import("./nouns/doctor.ts")).doctorCommand(runner),
  },
  {
    names: ["top"],
    description: "Show live what runs, what waits and why, and the calls by method",
    load: async (runner) => (await import("./nouns/top.ts")).topCommand(runner),
  },
  {
    names: ["login"],
    description: "Sign in at a server",
    load: async (runner) => (await import("./nouns/login.ts")).loginCommand(runner),
  },
  {
    names: ["logout"],
    description: "Forget a sign-in, and revoke it at its issuer",
    load: async (runner) => (await import("./nouns/login.ts")).logoutCommand(runner),
  },
  {
    names: ["whoami"],
    description: "Show who the server takes you for, and your roles",
    load: async (runner) => (await import("./nouns/login.ts")).whoamiCommand(runner),
  },
  {
    names: ["token"],
    description: "Tokens: for programs that cannot sign in",
    load: async (runner) => (await import("./nouns/token.ts")).tokenCommands(runner),
  },
  {
    names: ["config"],
    description: "Profiles with a server, an output format and an environment",
    load: async (runner) => (await import("./nouns/config.ts")).configCommands(runner),
  },
  {
    names: ["completion"],
    description: "Print a shell script that completes commands, flags and resource names",
    load: async (runner) => (await import("./nouns/completion.ts")).completionCommand(runner),
  },
  {
    names: ["version"],
    description: "Show the version",
    load: async (runner) => (await import("./nouns/version.ts")).versionCommand(runner),
  },
];

/**
 * The command tree for a command line: the verbs of the noun that it names, and only the names of
 * the other nouns, which keeps the start fast. `all` creates the whole tree.
 */
export async function createProgram(
  runner: Runner,
  typed: readonly string[] | "all",
): Promise<CommandUnknownOpts> {
  const program = takesFlagsBefore(new Command("mpctl"))
    .description("Environments and workloads on the mini platform control plane")
    .addHelpText("after", HELP)
    .hook("preAction", (_, leaf) => runner.chosen(wordsOf(leaf)));
  for (const noun of NOUNS) {
    const wanted = typed === "all" || typed.some((word) => noun.names.includes(word));
    program.addCommand(wanted ? await noun.load(runner) : named(noun));
  }
  return program;
}

function named({ names: [name, ...aliases], description }: Noun): CommandUnknownOpts {
  return new Command(name).description(description).aliases(aliases);
}

/**
 * Suggests the command for a user who typed the verb first, as in kubectl: `get envs` is `env get`.
 */
export async function suggestNounFirst(
  runner: Runner,
  args: readonly string[],
): Promise<string | undefined> {
  const [verb = "", typed = ""] = args.filter((word) => !word.startsWith("-"));
  const program = await createProgram(runner, "all");
  const noun = childOf(program, typed) ?? childOf(program, typed.replace(/s$/, ""));
  const meant = noun && childOf(noun, verb);
  return meant && `Did you mean 'mpctl ${noun.name()} ${meant.name()}'? The noun comes first`;
}

/** A command with the commands that it is in, such as `mpctl env create`. */
const wordsOf = (command: CommandUnknownOpts): string =>
  command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name();

const childOf = (parent: CommandUnknownOpts, name: string): CommandUnknownOpts | undefined =>
  parent.commands.find((command) => command.name() === name || command.aliases().includes(name));
