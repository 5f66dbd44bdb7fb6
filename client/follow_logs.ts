import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type StreamLogsResponse, WorkloadService } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { Reconnect, type ReconnectOptions, untilReaderStops } from "./reconnect.ts";

/** Which log lines to follow. */
export interface LogRequest {
  readonly name: string;
  /** Only the last lines of each copy; 0 for all. */
  readonly tail?: number;
  /** Only lines printed since this time. */
  readonly since?: Timestamp;
  /** Only this copy. */
  readonly replica?: string;
}

/**
 * Follows the log of a workload. A broken stream is begun again at the earliest line that each copy
 * may have printed since, and lines that were already yielded are skipped, so that a restart of the
 * server neither loses nor repeats a line of a copy that has printed one.
 * @throws {ConnectError} what StreamLogs returns; the last error if the server is unreachable for
 *   too long or the signal is aborted
 */
export const followLogs = (
  connection: Pick<Connection, "client">,
  request: LogRequest,
  options: ReconnectOptions = {},
): AsyncGenerator<StreamLogsResponse, void> =>
  untilReaderStops(options.signal, (signal) => follow(connection, request, options, signal));

async function* follow(
  connection: Pick<Connection, "client">,
  request: LogRequest,
  options: ReconnectOptions,
  signal: AbortSignal,
): AsyncGenerator<StreamLogsResponse, void> {
  const client = connection.client(WorkloadService);
  const reconnect = new Reconnect(options, false);
  const ends = new Map<string, LogEnd>();
  for (;;) {
    const since = earliest(ends);
    const resumed = since === undefined ? request : { ...request, tail: 0, since };
    const yielded = new Map(ends);
    try {
      const body = { ...resumed, follow: true };
      // A quiet log begins without a line.
      const onHeader = () => reconnect.received(false);
      for await (const line of client.streamLogs(body, { signal, onHeader })) {
        reconnect.received(true);
        if (wasYielded(line, yielded)) continue;
        advance(line, ends);
        yield line;
      }
      return;
    } catch (error) {
      await reconnect.again(error);
    }
  }
}

/** The newest moment at which a copy printed, and what it printed then. */
interface LogEnd {
  readonly ms: number;
  readonly texts: readonly string[];
}

/** The oldest end: copies that printed later may have printed more since. */
function earliest(ends: ReadonlyMap<string, LogEnd>): Timestamp | undefined {
  if (ends.size === 0) return undefined;
  // Whether `since` includes its moment depends on the cluster.
  return timestampFromMs(Math.min(...[...ends.values()].map(({ ms }) => ms)) - 1);
}

/** @param yielded where each copy's log ended when the stream broke; loses the texts that are found */
function wasYielded(
  { replica, time, text }: StreamLogsResponse,
  yielded: Map<string, LogEnd>,
): boolean {
  const end = yielded.get(replica);
  if (!end || !time) return false;
  const ms = timestampMs(time);
  if (ms !== end.ms) return ms < end.ms;
  const at = end.texts.indexOf(text);
  if (at >= 0) yielded.set(replica, { ms, texts: end.texts.toSpliced(at, 1) });
  return at >= 0;
}

function advance({ replica, time, text }: StreamLogsResponse, ends: Map<string, LogEnd>): void {
  if (!time) return;
  const ms = timestampMs(time);
  const end = ends.get(replica);
  const texts = end?.ms === ms ? [...end.texts, text] : [text];
  if (!end || ms >= end.ms) ends.set(replica, { ms, texts });
}
