import { type DescMessage, isMessage } from "@bufbuild/protobuf";
import { watchEvents } from "@mpc/client";
import { EnvironmentService, EventType, WorkloadService } from "@mpc/proto";
import {
  type CommandContext,
  RECONNECT_MS,
  untilInterrupted,
  withClient,
  withConnection,
} from "../context.ts";
import { CliError, EXIT } from "../errors/cli_error.ts";
import { environmentName, workloadName } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import {
  ENVIRONMENT_VIEW,
  printNext,
  printOne,
  tablePrinter,
  type View,
  WORKLOAD_VIEW,
} from "../output/print.ts";
import { printNotes } from "./print_notes.ts";

export interface GetFlags {
  readonly watch?: true | undefined;
}

/** `mpctl env get` */
export async function getEnvironment(
  context: CommandContext,
  environment: string,
  flags: GetFlags,
): Promise<number> {
  const name = environmentName(environment);
  if (flags.watch) return await watch(context, name, ENVIRONMENT_VIEW);
  const found = await withClient(
    context,
    EnvironmentService,
    (client) => client.getEnvironment({ name }),
  );
  await printOne(context, ENVIRONMENT_VIEW, found);
  if (isForPeople(context.config.output)) await printNotes(context, found);
  return EXIT.OK;
}

/** `mpctl workload get` */
export async function getWorkload(
  context: CommandContext,
  workload: string,
  flags: GetFlags,
): Promise<number> {
  const name = workloadName(workload, context.config);
  if (flags.watch) return await watch(context, name, WORKLOAD_VIEW);
  const found = await withClient(
    context,
    WorkloadService,
    (client) => client.getWorkload({ name }),
  );
  await printOne(context, WORKLOAD_VIEW, found);
  if (isForPeople(context.config.output)) await printNotes(context, found);
  return EXIT.OK;
}

/**
 * Prints a resource and then each change of it, from one stream, so that no change is missed. Ends
 * when the resource is deleted.
 * @throws {CliError} not found
 */
async function watch<Desc extends DescMessage>(
  context: CommandContext,
  name: string,
  view: View<Desc>,
): Promise<number> {
  const kind = name.includes("/workloads/") ? "workload" : "environment";
  const print = tablePrinter(context, view);
  let found = false;
  await withConnection(context, (connection) =>
    untilInterrupted(context, async (signal) => {
      const request = { target: name, kinds: [kind] };
      const options = { signal, giveUpAfterMs: RECONNECT_MS };
      for await (const { event, synced } of watchEvents(connection, request, options)) {
        if (synced && !found) throw notFound(name);
        const { value } = event?.resource ?? {};
        if (value?.name !== name || !isMessage(value, view.schema)) continue;
        found = true;
        if (isForPeople(context.config.output)) await print(value);
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
