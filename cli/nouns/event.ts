import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Option } from "@commander-js/extra-typings";
import { watchEvents } from "@mpc/client";
import { type Event, EventSchema, EventType } from "@mpc/proto";
import { followToEnd } from "../commands/following.ts";
import { type CommandContext, withConnection } from "../context.ts";
import { duration, nonEmpty, texts } from "../flags/parse_flag.ts";
import { isForPeople } from "../output/format.ts";
import { printNext } from "../output/print.ts";
import { command, noun, type Runner, runWith } from "./command.ts";

/** `mpctl event …` */
export function eventCommands(runner: Runner) {
  const watchCommand = command("watch", "Print existing resources, then each event as it happens", [
    "mpctl event watch --target environments/dev",
    "mpctl event watch --kind operation --only-new -o jsonl",
  ])
    .option("--target <name>", "only this resource and the resources below it", nonEmpty)
    .option("--kind <kind>", "environment, workload or operation, repeatable", texts)
    .option("--resume <token>", "resume where an earlier watch ended", nonEmpty)
    .addOption(new Option("--only-new", "skip existing resources").conflicts("resume"))
    .option("--timeout <duration>", "stop watching", duration)
    .action((flags) => runWith(runner, flags, (context) => watch(context, flags)));
  return noun("event", "", "Events: the log of all changes, in order").addCommand(watchCommand);
}

interface EventWatchFlags {
  readonly target?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly resume?: string | undefined;
  readonly onlyNew?: true | undefined;
  readonly timeout?: number | undefined;
}

async function watch(context: CommandContext, flags: EventWatchFlags): Promise<number> {
  const { terminal, config } = context;
  let token = flags.resume ?? "";
  const request = {
    target: flags.target,
    kinds: flags.kind,
    resumeToken: flags.resume,
    skipExisting: flags.onlyNew,
  };
  const next = () => token === "" ? "" : resumeHint(token);
  return await withConnection(
    context,
    (connection) =>
      followToEnd(context, flags.timeout, next, async (options) => {
        for await (const update of watchEvents(connection, request, options)) {
          if (update.reset) {
            // A token that the user typed is the user's to correct.
            if (token === flags.resume) {
              token = "";
              throw update.reset;
            }
            terminal.err(
              "The watch could not be resumed; it begins again with existing resources\n",
            );
          }
          token = update.resumeToken || token;
          if (!update.event) continue;
          if (isForPeople(config.output)) terminal.out(line(update.event));
          else await printNext(context, EventSchema, update.event);
        }
      }),
  );
}

const resumeHint = (token: string): string => `Resume with --resume ${token}`;

function line(event: Event): string {
  const time = event.time ? timestampDate(event.time).toISOString() : "";
  const { target, reason, message } = event;
  return `${time} ${EventType[event.type]} ${target} ${reason} ${message}`.trimEnd() + "\n";
}
