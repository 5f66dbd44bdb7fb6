import { toJson } from "@bufbuild/protobuf";
import type { Event, JsonObject } from "@mpc/domain";
import { EventSchema } from "@mpc/proto";
import { toEvent } from "./event_mapping.ts";

/** An event as the JSON of `mpc.v1.Event`, as watchers of the JSON API receive it. */
export function eventJson(event: Event): JsonObject {
  return toJson(EventSchema, toEvent(event)) as JsonObject;
}
