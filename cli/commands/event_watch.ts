import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import process from "node:process";
import { type Event, EventSchema, EventService, EventType } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";

export interface EventWatchFlags {
  readonly target?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly resume?: string | undefined;
  readonly onlyNew?: true | undefined;
}

/** `mpctl event watch` */
export function run(context: CommandContext, flags: EventWatchFlags): Promise<number> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once("SIGINT", onInterrupt);
  let token = flags.resume ?? "";
  return withClient(context, EventService, async (client) => {
    try {
      const stream = client.watchEvents({
        target: flags.target ?? "",
        kinds: [...flags.kind ?? []],
        resumeToken: token,
        skipExisting: flags.onlyNew ?? false,
      }, { signal: stop.signal });
      for await (const { event, resumeToken } of stream) {
        token = resumeToken || token;
        if (event) context.terminal.out(line(context, event));
      }
      return EXIT.OK;
    } catch (error) {
      if (stop.signal.aborted) {
        if (token) context.terminal.err(`Go on with --resume ${token}\n`);
        return EXIT.OK;
      }
      throw error;
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  });
}

function line({ config }: CommandContext, event: Event): string {
  if (config.output === "json") return `${JSON.stringify(toJson(EventSchema, event))}\n`;
  const time = event.time ? timestampDate(event.time).toISOString() : "";
  const { target, reason, message } = event;
  return `${time} ${EventType[event.type]} ${target} ${reason} ${message}`.trimEnd() + "\n";
}
