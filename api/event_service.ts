import { Code, ConnectError } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { Batch, callerOf, type Implementation } from "@mpc/process";
import type { EventService, WatchEventsResponse } from "@mpc/proto";
import { type ServiceDeps, watchEvents } from "@mpc/services";
import { toWatchResponse } from "./mapping/event_mapping.ts";
import { readerTooSlow } from "./streams/reader_too_slow.ts";

/** The event methods of the API. */
export function eventService(deps: ServiceDeps): Implementation<typeof EventService> {
  return {
    async *watchEvents(request, context) {
      let { resumeToken } = request;
      for await (const watched of watchEvents(deps, callerOf(context), request)) {
        const batch = new Batch(watched.map(toWatchResponse));
        yield batch;
        resumeToken = lastToken(batch) || resumeToken;
      }
      const { reason } = context.signal;
      if (!(reason instanceof ConnectError)) return;
      if (reason.code === Code.Unavailable) throw shuttingDown(resumeToken);
      if (reason.code === Code.ResourceExhausted) throw readerTooSlow(resumeToken);
    },
  };
}

/** The token of the last written message that has one; empty if none has. */
function lastToken({ messages, written }: Batch<WatchEventsResponse>): string {
  return messages[written - 1]?.resumeToken ?? "";
}

function shuttingDown(resumeToken: string): MpcError {
  return new MpcError("UNAVAILABLE", {
    reason: "SHUTTING_DOWN",
    message: "Cannot continue the watch: the server is shutting down; resume with the token",
    metadata: { resume_token: resumeToken },
  });
}
