import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EventService, WatchEventsRequestSchema, WatchEventsResponse } from "@mpc/proto";

/** How often a stream that broke is begun anew in a row. */
const MAX_BREAKS = 8;

/**
 * Follows events, and goes on from the last token where the stream breaks, also when the server is
 * started anew: without gap, and without duplicate but for what had been told before the first
 * token came.
 */
export async function* followEvents(
  client: Client<typeof EventService>,
  request: MessageInitShape<typeof WatchEventsRequestSchema>,
  signal: AbortSignal,
): AsyncGenerator<WatchEventsResponse> {
  let resumeToken = request.resumeToken ?? "";
  for (let breaks = 0;;) {
    try {
      for await (const told of client.watchEvents({ ...request, resumeToken }, { signal })) {
        breaks = 0;
        resumeToken = told.resumeToken || resumeToken;
        yield told;
      }
      return;
    } catch (error) {
      if (signal.aborted || !isBroken(error) || ++breaks > MAX_BREAKS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** breaks));
    }
  }
}

/** Whether a stream ended without its server having had its say. */
export function isBroken(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unavailable || code === Code.Unknown;
}
