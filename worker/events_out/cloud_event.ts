import type { Event, JsonObject } from "@mpc/domain";

/** The media type of a structured CloudEvent. */
export const CLOUD_EVENT_TYPE = "application/cloudevents+json; charset=utf-8";

/** An event of the log as the JSON of the API. */
export type EventJson = (event: Event) => JsonObject;

/** Identifies an event, the same in every attempt and of every process; also its `webhook-id`. */
export const cloudEventId = (installation: string, { sequence }: Pick<Event, "sequence">): string =>
  `evt_${installation}_${sequence}`;

/**
 * An event as a CloudEvent 1.0 in structured mode. `type` is `dev.mpc.{kind}.v1.{what happened}`, for
 * instance `dev.mpc.workload.v1.updated`; `sequence` orders events as strings.
 */
export function cloudEvent(
  event: Event,
  { installation, toJson }: { readonly installation: string; readonly toJson: EventJson },
): JsonObject {
  const { sequence, time, type, target, resource } = event;
  const traceparent = resource?.kind === "operation" ? resource.value.traceparent : null;
  return {
    specversion: "1.0",
    id: cloudEventId(installation, event),
    source: `urn:uuid:${installation}`,
    type: `dev.mpc.${resource?.kind ?? kindOf(target)}.v1.${type.toLowerCase()}`,
    subject: target,
    time: new Date(time).toISOString(),
    datacontenttype: "application/json",
    sequence: String(sequence).padStart(16, "0"),
    ...(traceparent !== null && { traceparent }),
    data: toJson(event),
  };
}

/** The kind in a resource's name, of events without a snapshot. */
function kindOf(target: string): string {
  const kind = target.split("/").at(-2) ?? "platform";
  return kind.replace(/s$/, "");
}
