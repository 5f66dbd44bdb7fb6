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
  // A server that never took the watch is told of at once; one that did may be started anew.
  let begun = false;
  for (let breaks = 0;;) {
    try {
      for await (const told of client.watchEvents({ ...request, resumeToken }, { signal })) {
        begun = true;
        breaks = 0;
        resumeToken = told.resumeToken || resumeToken;
        yield told;
      }
      return;
    } catch (error) {
      if (signal.aborted || !begun || !isBroken(error) || ++breaks > MAX_BREAKS) throw error;
      await pause(100 * 2 ** breaks, signal);
    }
  }
}

/** Resolves after so long, or when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Whether a stream ended without its server having had its say. */
export function isBroken(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unavailable || code === Code.Unknown;
}
