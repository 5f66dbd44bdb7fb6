import { create } from "@bufbuild/protobuf";
import type { Event as EventRecord, EventSnapshot } from "@mpc/domain";
import {
  type Event,
  EventSchema,
  EventType,
  type WatchEventsResponse,
  WatchEventsResponseSchema,
} from "@mpc/proto";
import type { WatchedEvent } from "@mpc/services";
import { toEnvironment } from "./environment_mapping.ts";
import { toOperation } from "./operation_mapping.ts";
import { toTimestamp } from "./values.ts";
import { toWorkload } from "./workload_mapping.ts";

/** The message for each event, which all of its watchers share. */
const TOLD = new WeakMap<EventRecord, WatchEventsResponse>();

/** One message for a watcher. It must not be changed, because other watchers may receive it too. */
export function toWatchResponse(watched: WatchedEvent): WatchEventsResponse {
  const resumeToken = watched.token;
  switch (watched.type) {
    case "synced":
      return create(WatchEventsResponseSchema, { resumeToken, synced: true });
    case "event": {
      const known = TOLD.get(watched.event);
      if (known) return known;
      const event = toEvent(watched.event);
      const response = create(WatchEventsResponseSchema, { resumeToken, event });
      TOLD.set(watched.event, response);
      return response;
    }
    case "existing":
      return create(WatchEventsResponseSchema, {
        resumeToken,
        event: {
          type: EventType.EXISTING,
          target: watched.snapshot.value.name,
          time: toTimestamp(watched.snapshot.value.updateTime),
          resource: toResource(watched.snapshot),
        },
      });
  }
}

/** An event as the API shows it, without secret values. */
export function toEvent(event: EventRecord): Event {
  return create(EventSchema, {
    sequence: BigInt(event.sequence),
    time: toTimestamp(event.time),
    type: EventType[event.type],
    reason: event.reason,
    message: event.message,
    target: event.target,
    operation: event.operation ?? "",
    actor: event.actor,
    ...(event.resource && { resource: toResource(event.resource) }),
  });
}

function toResource(snapshot: EventSnapshot) {
  switch (snapshot.kind) {
    case "environment":
      return { case: "environment" as const, value: toEnvironment(snapshot) };
    case "workload":
      return { case: "workload" as const, value: toWorkload(snapshot) };
    case "operation":
      return { case: "operationResource" as const, value: toOperation(snapshot) };
  }
}
