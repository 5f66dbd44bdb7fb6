import { type DescMessage, isMessage } from "@bufbuild/protobuf";
import { EventService, EventType } from "@mpc/proto";
import { CliError } from "./cli_error.ts";
import { withClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit_codes.ts";
import { followEvents } from "./follow_events.ts";
import { isForPeople } from "./output/format.ts";
import { printNext, tablePrinter, type View } from "./output/print.ts";
import { untilInterrupted } from "./until_interrupted.ts";

/**
 * Shows a resource and then each change of it, from one stream, so that nothing gets lost in
 * between; ends when the resource is gone.
 * @throws {CliError} not found
 */
export async function watchResource<Desc extends DescMessage>(
  context: CommandContext,
  name: string,
  view: View<Desc>,
): Promise<number> {
  const kind = name.includes("/workloads/") ? "workload" : "environment";
  const print = tablePrinter(context, view);
  let found = false;
  await withClient(context, EventService, (client) =>
    untilInterrupted(context, async (signal) => {
      const request = { target: name, kinds: [kind] };
      for await (const { event, synced } of followEvents(client, request, signal)) {
        if (synced && !found) throw notFound(name);
        const { value } = event?.resource ?? {};
        if (value?.name !== name || !isMessage(value, view.schema)) continue;
        found = true;
        if (isForPeople(context.config.output)) print(value);
        else await printNext(context, view.schema, value);
        if (event?.type === EventType.DELETED) {
          return context.terminal.err(`${name} is deleted\n`);
        }
      }
    }));
  return EXIT.OK;
}

function notFound(name: string): CliError {
  return new CliError(`Cannot watch '${name}': there is no such resource`, {
    exitCode: EXIT.NOT_FOUND,
  });
}
