import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, EventService, EventType } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { followEvents } from "../follow_events.ts";
import { isForPeople } from "../output/format.ts";
import { printNext } from "../output/print.ts";
import { untilInterrupted } from "../until_interrupted.ts";

export interface EventWatchFlags {
  readonly target?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly resume?: string | undefined;
  readonly onlyNew?: true | undefined;
}

/** `mpctl event watch` */
export function run(context: CommandContext, flags: EventWatchFlags): Promise<number> {
  const { terminal, config } = context;
  let token = flags.resume ?? "";
  const watching = withClient(
    context,
    EventService,
    (client) =>
      untilInterrupted(context, async (signal) => {
        const request = {
          target: flags.target ?? "",
          kinds: [...flags.kind ?? []],
          resumeToken: token,
          skipExisting: flags.onlyNew ?? false,
        };
        for await (const { event, resumeToken } of followEvents(client, request, signal)) {
          token = resumeToken || token;
          if (!event) continue;
          if (isForPeople(config.output)) terminal.out(line(event));
          else await printNext(context, EventSchema, event);
        }
      }),
  );
  return watching.then(() => {
    if (token) terminal.err(`Go on with --resume ${token}\n`);
    return EXIT.OK;
  });
}

function line(event: Event): string {
  const time = event.time ? timestampDate(event.time).toISOString() : "";
  const { target, reason, message } = event;
  return `${time} ${EventType[event.type]} ${target} ${reason} ${message}`.trimEnd() + "\n";
}
