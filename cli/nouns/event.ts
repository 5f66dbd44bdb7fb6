import { Option } from "@commander-js/extra-typings";
import { texts } from "../parse_values.ts";
import { command, noun, type Runner, runWith } from "./shared.ts";

/** `mpctl event …` */
export function eventCommands(runner: Runner) {
  const watch = command("watch", "Follow what happens: first what is, then what comes", [
    "mpctl event watch --target environments/dev",
    "mpctl event watch --kind operation --only-new -o jsonl",
  ])
    .option("--target <name>", "only this resource and those below it")
    .option("--kind <kind>", "environment, workload or operation, repeatable", texts)
    .option("--resume <token>", "go on where an earlier watch ended")
    .addOption(new Option("--only-new", "leave out what is").conflicts("resume"))
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { run } = await import("../commands/event_watch.ts");
        return await run(context, flags);
      })
    );
  return noun("event", "", "Events: what happens, in one order").addCommand(watch);
}
