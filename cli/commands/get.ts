import { type DescMessage, isMessage } from "@bufbuild/protobuf";
import { watchEvents } from "@mpc/client";
import { EnvironmentService, EventType, WorkloadService } from "@mpc/proto";
import { type CommandContext, withClient, withConnection } from "../context.ts";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import { environmentIdOf, environmentName, idOf, workloadName } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import {
  ENVIRONMENT_VIEW,
  printNext,
  printOne,
  tablePrinter,
  type View,
  WORKLOAD_VIEW,
} from "../output/print.ts";
import { followToEnd } from "./following.ts";
import { printNotes } from "./print_notes.ts";

export interface GetFlags {
  readonly watch?: true | undefined;
  readonly timeout?: number | undefined;
}

/** @throws {CliError} usage, if a flag of a watch is used without it */
export function assertWatch({ watch, timeout }: GetFlags): void {
  if (timeout !== undefined && !watch) throw usageError("Cannot use --timeout without --watch");
}

/** `mpctl env get` */
export async function getEnvironment(
  context: CommandContext,
  environment: string,
  flags: GetFlags,
): Promise<number> {
  const name = environmentName(environment);
  assertWatch(flags);
  if (flags.watch) return await watch(context, name, ENVIRONMENT_VIEW, flags.timeout);
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
  assertWatch(flags);
  if (flags.watch) return await watch(context, name, WORKLOAD_VIEW, flags.timeout);
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
  timeoutMs: number | undefined,
): Promise<number> {
  const kind = name.includes("/workloads/") ? "workload" : "environment";
  const typed = kind === "environment"
    ? `env get ${idOf(name)}`
    : `workload get ${idOf(name)} --env ${environmentIdOf(name)}`;
  const print = tablePrinter(context, view);
  let found = false;
  const next = () => found ? `Watch it again with 'mpctl ${typed} --watch'` : "";
  return await withConnection(
    context,
    (connection) =>
      followToEnd(context, timeoutMs, next, async (options) => {
        const request = { target: name, kinds: [kind] };
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
      }),
  );
}

function notFound(name: string): CliError {
  return new CliError(`Cannot watch '${name}': there is no such resource`, {
    exitCode: EXIT.NOT_FOUND,
  });
}
