import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { callerOf } from "@mpc/process";
import type { EventService } from "@mpc/proto";
import { type ServiceDeps, watchEvents } from "@mpc/services";
import { toWatchResponse } from "./mapping/event_mapping.ts";

/** The event methods of the API. */
export function eventService(deps: ServiceDeps): ServiceImpl<typeof EventService> {
  return {
    async *watchEvents(request, context) {
      let { resumeToken } = request;
      for await (const watched of watchEvents(deps, callerOf(context), request)) {
        resumeToken = watched.token || resumeToken;
        yield toWatchResponse(watched);
      }
      if (isShutdown(context.signal.reason)) throw shuttingDown(resumeToken);
    },
  };
}

function isShutdown(reason: unknown): boolean {
  return reason instanceof ConnectError && reason.code === Code.Unavailable;
}

function shuttingDown(resumeToken: string): MpcError {
  return new MpcError("UNAVAILABLE", {
    reason: "SHUTTING_DOWN",
    message: "Cannot continue the watch: the server is shutting down; resume with the token",
    metadata: { resume_token: resumeToken },
  });
}
