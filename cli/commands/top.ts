import type { Client } from "@connectrpc/connect";
import { type Connection, pause } from "@mpc/client";
import { DiagnosticsService, GetActivityResponseSchema, OperationService } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { LiveRegion } from "../output/live_region.ts";
import { printMessage } from "../output/print.ts";
import { textWidth, truncateTo } from "../output/text_width.ts";
import { type TopSample, topView } from "../output/top_view.ts";

/** Operations that are read for each page. */
const MAX_OPERATIONS = 200;

const DEFAULT_INTERVAL_MS = 2_000;

export interface TopFlags {
  readonly interval?: number | undefined;
  readonly once?: true | undefined;
}

/** `mpctl top` */
export async function top(context: CommandContext, flags: TopFlags): Promise<number> {
  const { terminal, config } = context;
  return await withConnection(context, async (connection) => {
    if (!isForPeople(config.output)) {
      const activity = await connection.client(DiagnosticsService).getActivity({});
      await printMessage(context, GetActivityResponseSchema, activity);
      return EXIT.OK;
    }
    if (flags.once || !terminal.draws) {
      const lines = await topView(await sampleOf(connection), undefined, config.server.origin);
      terminal.out(`${lines.join("\n")}\n`);
      return EXIT.OK;
    }
    await live(context, connection, flags.interval ?? DEFAULT_INTERVAL_MS);
    return EXIT.OK;
  });
}

/** Draws the page again and again until ctrl-C. */
async function live(
  context: CommandContext,
  connection: Connection,
  intervalMs: number,
): Promise<void> {
  const { terminal, host, config } = context;
  const region = new LiveRegion(terminal);
  const stop = new AbortController();
  const stopListening = host.onInterrupt(() => stop.abort());
  try {
    let before: TopSample | undefined;
    while (!stop.signal.aborted) {
      const sample = await sampleOf(connection);
      const lines = await topView(sample, before, config.server.origin);
      const widthOf = await textWidth(lines);
      region.draw(
        lines.slice(0, Math.max(1, terminal.rows - 1))
          .map((line) => truncateTo(terminal.columns - 1, line, widthOf)),
      );
      before = sample;
      await pause(intervalMs, stop.signal);
    }
  } finally {
    stopListening();
  }
}

async function sampleOf(connection: Connection): Promise<TopSample> {
  const diagnostics = connection.client(DiagnosticsService);
  const operations = connection.client(OperationService);
  const [info, activity, open, stalled] = await Promise.all([
    diagnostics.getServerInfo({}),
    diagnostics.getActivity({}),
    list(operations, "done = false"),
    list(operations, "stalled:true"),
  ]);
  return {
    info,
    activity,
    operations: open.operations,
    more: open.nextPageToken !== "",
    stalled: new Set(stalled.operations.map(({ name }) => name)),
    atMs: performance.now(),
  };
}

const list = (client: Client<typeof OperationService>, filter: string) =>
  client.listOperations({ filter, pageSize: MAX_OPERATIONS });
