import { Command } from "@commander-js/extra-typings";
import { EXIT_HELP } from "./exit_codes.ts";
import { envCommands } from "./nouns/env.ts";
import { opCommands } from "./nouns/op.ts";
import { command, noun, type Runner, runWith } from "./nouns/shared.ts";
import { workloadCommands } from "./nouns/workload.ts";
import { texts } from "./parse_values.ts";

/** The whole tree of commands; the body of each is loaded when it is run. */
export function createProgram(runner: Runner) {
  return new Command("mpctl")
    .description("Environments and workloads on the mini platform control plane")
    .addCommand(envCommands(runner))
    .addCommand(workloadCommands(runner))
    .addCommand(opCommands(runner))
    .addCommand(eventCommands(runner))
    .addCommand(doctor(runner))
    .addCommand(version(runner))
    .addHelpText(
      "after",
      `\n${EXIT_HELP}\n\nExamples:
  mpctl env create dev --ttl 8h --label team=web
  mpctl workload deploy web --env dev --image nginx:1.27 --replicas 2 --port 80
  mpctl op list`,
    );
}

function eventCommands(runner: Runner) {
  const watch = command("watch", "Follow what happens: first what is, then what comes", [
    "mpctl event watch --target environments/dev",
    "mpctl event watch --kind operation --only-new -o json",
  ])
    .option("--target <name>", "only this resource and those below it")
    .option("--kind <kind>", "environment, workload or operation, repeatable", texts)
    .option("--resume <token>", "go on where an earlier watch ended")
    .option("--only-new", "leave out what is")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("./commands/event_watch.ts");
        return await run(context, flags);
      })
    );
  return noun("event", "", "Events: what happens, in one order").addCommand(watch);
}

function doctor(runner: Runner) {
  return command("doctor", "Check the platform's invariants, and say how to repair a break", [
    "mpctl doctor",
  ])
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("./commands/doctor.ts");
        return await run(context);
      })
    );
}

function version(runner: Runner) {
  return command("version", "Show the version", ["mpctl version", "mpctl version --all"])
    .option("--all", "the server's too")
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("./commands/version.ts");
        return await run(context, { server: flags.all });
      })
    );
}
