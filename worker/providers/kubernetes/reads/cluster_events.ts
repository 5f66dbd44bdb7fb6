/** The events that a cluster keeps about objects. */
import type { Instant } from "@mpc/domain";
import type { ClusterEvent } from "@mpc/services";
import { EVENT } from "../client/kinds.ts";
import type { KubeClient, Selection } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { isKind, type ObjectOf } from "../client/typed_objects.ts";

/** An event, and the object that it is about. */
export interface ObjectEvent extends ClusterEvent {
  /** When it happened first. */
  readonly firstTime: Instant;
  readonly kind: ObjectKind;
  readonly name: string;
  /** Uid of the object; empty if the event does not name it. */
  readonly uid: string;
}

/** Oldest first. */
export async function readEvents(
  client: KubeClient,
  selection: Selection,
  signal: AbortSignal,
): Promise<readonly ObjectEvent[]> {
  const { items } = await client.list(EVENT, selection, { signal });
  return toObjectEvents(items);
}

/** Oldest first. */
export const toObjectEvents = (events: readonly LiveObject[]): readonly ObjectEvent[] =>
  events.filter(isEvent).map(toObjectEvent).sort((a, b) => a.time - b.time);

type KubeEvent = ObjectOf<"Event">;

const isEvent = (object: LiveObject): object is KubeEvent => isKind(object, "Event");

function toObjectEvent(event: KubeEvent): ObjectEvent {
  const { apiVersion = "v1", kind = "", namespace = "", name = "", uid = "" } =
    event.involvedObject;
  return {
    time: timeOf(event),
    firstTime: Date.parse(event.firstTimestamp ?? event.eventTime ?? "") || timeOf(event),
    count: event.series?.count ?? event.count ?? 1,
    warning: event.type === "Warning",
    reason: event.reason ?? "",
    object: `${kind}/${namespace}/${name}`,
    message: event.message ?? "",
    kind: { apiVersion, kind },
    name,
    uid,
  };
}

function timeOf({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: KubeEvent): number {
  // The API sends null for a time that is not set.
  const time = series?.lastObservedTime || lastTimestamp || eventTime || firstTimestamp ||
    metadata.creationTimestamp;
  return Date.parse(time ?? "") || 0;
}
