import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { followLogs } from "@mpc/client";
import { type StreamLogsResponse, StreamLogsResponseSchema, WorkloadService } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { usageError } from "../errors/cli_error.ts";
import { environmentIdOf, idOf, workloadName } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import { printNext } from "../output/print.ts";
import { followToEnd } from "./following.ts";

export interface LogFlags {
  readonly follow?: true | undefined;
  readonly tail?: number | undefined;
  readonly since?: number | undefined;
  readonly replica?: string | undefined;
  readonly timestamps?: true | undefined;
  readonly timeout?: number | undefined;
}

/** `mpctl workload logs` */
export async function printLogs(
  context: CommandContext,
  workload: string,
  flags: LogFlags,
): Promise<number> {
  const name = workloadName(workload, context.config);
  if (flags.timeout !== undefined && !flags.follow) {
    throw usageError("Cannot use --timeout without --follow");
  }
  const request = {
    name,
    tail: flags.tail ?? 0,
    replica: flags.replica ?? "",
    ...(flags.since !== undefined && { since: timestampFromMs(Date.now() - flags.since) }),
  };
  const typed = `workload logs ${idOf(name)} --env ${environmentIdOf(name)}`;
  let printed = false;
  const next = () =>
    printed && flags.follow ? `Follow it again with 'mpctl ${typed} --follow'` : "";
  return await withConnection(
    context,
    (connection) =>
      followToEnd(context, flags.timeout, next, async (options) => {
        const lines = flags.follow
          ? followLogs(connection, request, options)
          : connection.client(WorkloadService).streamLogs(request, { signal: options.signal });
        for await (const line of lines) {
          printed = true;
          await print(context, flags, line);
        }
      }),
  );
}

async function print(
  context: CommandContext,
  flags: LogFlags,
  line: StreamLogsResponse,
): Promise<void> {
  const { terminal, config } = context;
  if (!isForPeople(config.output)) return await printNext(context, StreamLogsResponseSchema, line);
  const { replica, time, text } = line;
  const stamp = flags.timestamps && time ? `${timestampDate(time).toISOString()} ` : "";
  terminal.out(`${stamp}${replica} ${text}\n`);
}
