import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { StreamLogsResponseSchema, WorkloadService } from "@mpc/proto";
import { type CommandContext, untilInterrupted, withClient } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { workloadName } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import { printNext } from "../output/print.ts";

export interface LogFlags {
  readonly follow?: true | undefined;
  readonly tail?: number | undefined;
  readonly since?: number | undefined;
  readonly replica?: string | undefined;
  readonly timestamps?: true | undefined;
}

/** `mpctl workload logs` */
export async function printLogs(
  context: CommandContext,
  workload: string,
  flags: LogFlags,
): Promise<number> {
  const { terminal, config } = context;
  const name = workloadName(workload, config);
  await withClient(
    context,
    WorkloadService,
    (client) =>
      untilInterrupted(context, async (signal) => {
        const lines = client.streamLogs({
          name,
          follow: flags.follow ?? false,
          tail: flags.tail ?? 0,
          replica: flags.replica ?? "",
          ...(flags.since !== undefined && { since: timestampFromMs(Date.now() - flags.since) }),
        }, { signal });
        for await (const line of lines) {
          if (!isForPeople(config.output)) {
            await printNext(context, StreamLogsResponseSchema, line);
            continue;
          }
          const { replica, time, text } = line;
          const stamp = flags.timestamps && time ? `${timestampDate(time).toISOString()} ` : "";
          terminal.out(`${stamp}${replica} ${text}\n`);
        }
      }),
  );
  return EXIT.OK;
}
