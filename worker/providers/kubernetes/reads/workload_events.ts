import { isMpcError } from "@mpc/domain";
import type { ClusterEvent } from "@mpc/services";
import { EVENT } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { isKind, type ObjectOf } from "../client/typed_objects.ts";

type KubeEvent = ObjectOf<"Event">;

/** The cluster's events about a workload's objects, oldest first. */
export async function workloadEvents(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<readonly ClusterEvent[]> {
  const { items } = await client.list(EVENT, { namespace: environment }, { signal });
  return items.filter(isEvent).filter((event) => isAbout(event, workload)).map(toClusterEvent)
    .sort((a, b) => a.time - b.time);
}

/**
 * The last warning about an object of this name, as `Reason: message`; empty if there is none, or
 * if events cannot be read.
 */
export async function lastWarning(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<string> {
  try {
    const fieldSelector = `involvedObject.name=${name}`;
    const { items } = await client.list(EVENT, { namespace, fieldSelector }, { signal });
    const last = items.filter(isEvent).map(toClusterEvent)
      .filter(({ warning, object }) => warning && object.endsWith(`/${name}`))
      .toSorted((a, b) => a.time - b.time).at(-1);
    return last ? `${last.reason}: ${last.message}` : "";
  } catch (error) {
    if (!isMpcError(error) || signal.aborted) throw error;
    return "";
  }
}

const isEvent = (object: LiveObject): object is KubeEvent => isKind(object, "Event");

/**
 * Matches by name, because an event may outlive its object. A workload's objects begin with its id,
 * and so do the objects that are generated from them. The kind distinguishes the workload `web-2`
 * from the objects of `web`.
 */
function isAbout({ involvedObject }: KubeEvent, workload: string): boolean {
  const { kind = "", name = "" } = involvedObject;
  if (name === workload || name.startsWith(`${workload}.`)) return true;
  return name.startsWith(`${workload}-`) &&
    (GENERATED[kind]?.test(name.slice(workload.length)) ?? false);
}

/** The suffixes that Kubernetes generates (apimachinery, `rand.SafeEncodeString`). */
const GENERATED: Readonly<Record<string, RegExp>> = {
  ReplicaSet: /^-[bcdfghjklmnpqrstvwxz2456789]+$/,
  // Two parts for a ReplicaSet, one for a DaemonSet or a Job, a number for a StatefulSet.
  Pod: /^(-[bcdfghjklmnpqrstvwxz2456789]+)?-([bcdfghjklmnpqrstvwxz2456789]{5}|\d+)$/,
};

function toClusterEvent(event: KubeEvent): ClusterEvent {
  const { kind = "", namespace = "", name = "" } = event.involvedObject;
  return {
    time: timeOf(event),
    count: event.series?.count ?? event.count ?? 1,
    warning: event.type === "Warning",
    reason: event.reason ?? "",
    object: `${kind}/${namespace}/${name}`,
    message: event.message ?? "",
  };
}

function timeOf({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: KubeEvent): number {
  // The API sends null for a time that is not set.
  const time = series?.lastObservedTime || lastTimestamp || eventTime || firstTimestamp ||
    metadata.creationTimestamp;
  return Date.parse(time ?? "") || 0;
}
