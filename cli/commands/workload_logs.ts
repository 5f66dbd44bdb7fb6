import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import process from "node:process";
import { WorkloadService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { workloadName } from "../names.ts";

export interface LogFlags {
  readonly env?: string | undefined;
  readonly follow?: true | undefined;
  readonly tail?: number | undefined;
  readonly since?: number | undefined;
  readonly replica?: string | undefined;
  readonly timestamps?: true | undefined;
}

/** `mpctl workload logs` */
export function run(context: CommandContext, workload: string, flags: LogFlags): Promise<number> {
  const name = workloadName(workload, flags.env);
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once("SIGINT", onInterrupt);
  return withClient(context, WorkloadService, async (client) => {
    try {
      const lines = client.streamLogs({
        name,
        follow: flags.follow ?? false,
        tail: flags.tail ?? 0,
        replica: flags.replica ?? "",
        ...(flags.since !== undefined && { since: timestampFromMs(Date.now() - flags.since) }),
      }, { signal: stop.signal });
      for await (const { replica, time, text } of lines) {
        const stamp = flags.timestamps && time ? `${timestampDate(time).toISOString()} ` : "";
        context.terminal.out(`${stamp}${replica} ${text}\n`);
      }
      return EXIT.OK;
    } catch (error) {
      if (stop.signal.aborted) return EXIT.OK;
      throw error;
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  });
}
