import type { ServiceImpl } from "@connectrpc/connect";
import type { EventService } from "@mpc/proto";
import { type ServiceDeps, watchEvents } from "@mpc/services";
import { callerOf } from "./caller_of.ts";
import { toWatchResponse } from "./mapping/event_mapping.ts";

/** The event methods of the API. */
export function eventService(deps: ServiceDeps): ServiceImpl<typeof EventService> {
  return {
    async *watchEvents(request, context) {
      for await (const watched of watchEvents(deps, callerOf(context), request)) {
        yield toWatchResponse(watched);
      }
    },
  };
}
