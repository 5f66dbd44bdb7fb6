import { Code, ConnectError } from "@connectrpc/connect";
import { type AuditRecord, AuditService } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { Reconnect, type ReconnectOptions, untilReaderStops } from "./reconnect.ts";

export interface AuditWatchRequest {
  /** An AIP-160 filter. */
  readonly filter?: string | undefined;
  /** Begins after the record with this sequence; with the oldest record by default. */
  readonly after?: bigint | undefined;
  /** Begins with the next record. */
  readonly skipExisting?: boolean | undefined;
}

/**
 * Watches audit records. A broken stream goes on after its last record; before the first record of a
 * watch that skips existing ones, records of the time without a connection are missed.
 * @throws {ConnectError} INVALID_ARGUMENT, PERMISSION_DENIED; the last error if the server is
 *   unreachable for too long or the signal is aborted
 */
export const watchAudit = (
  connection: Pick<Connection, "client">,
  request: AuditWatchRequest = {},
  options: ReconnectOptions = {},
): AsyncGenerator<AuditRecord, void> =>
  untilReaderStops(options.signal, (signal) => watch(connection, request, options, signal));

async function* watch(
  connection: Pick<Connection, "client">,
  { filter = "", after = 0n, skipExisting = false }: AuditWatchRequest,
  options: ReconnectOptions,
  signal: AbortSignal,
): AsyncGenerator<AuditRecord, void> {
  const client = connection.client(AuditService);
  const reconnect = new Reconnect(options, false);
  let last = after;
  let skip = skipExisting;
  for (;;) {
    let lost: unknown = new ConnectError("the server ended the watch", Code.Unavailable);
    try {
      const body = { filter, after: last, skipExisting: skip };
      const onHeader = () => reconnect.received(false);
      for await (const { auditRecord } of client.watchAuditRecords(body, { signal, onHeader })) {
        if (!auditRecord) continue;
        reconnect.received(true);
        last = auditRecord.sequence;
        skip = false;
        yield auditRecord;
      }
    } catch (error) {
      lost = error;
    }
    await reconnect.again(lost);
  }
}
