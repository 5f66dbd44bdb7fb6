import type { ClusterEvent } from "@mpc/services";
import { EVENT } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";

/** What the cluster noticed about a workload's objects, the latest last. */
export async function workloadEvents(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<readonly ClusterEvent[]> {
  const { items } = await client.list(EVENT, { namespace: environment }, { signal });
  return items.filter((event) => isAbout(event, workload)).map(clusterEvent)
    .sort((a, b) => a.time - b.time);
}

/**
 * Objects are named after the workload, and what is made from them after them in turn; what is gone
 * is known by its name alone. The kind keeps `web-2` and the objects of `web` apart.
 */
function isAbout(event: LiveObject, workload: string): boolean {
  const kind = String(fieldAt(event, "involvedObject", "kind") ?? "");
  const name = String(fieldAt(event, "involvedObject", "name") ?? "");
  if (name === workload || name.startsWith(`${workload}.`)) return true;
  return name.startsWith(`${workload}-`) &&
    (GENERATED[kind]?.test(name.slice(workload.length)) ?? false);
}

/** What Kubernetes appends to names (apimachinery, `rand.SafeEncodeString`). */
const GENERATED: Readonly<Record<string, RegExp>> = {
  ReplicaSet: /^-[bcdfghjklmnpqrstvwxz2456789]+$/,
  // Of a ReplicaSet with two parts, of a DaemonSet or a Job with one, of a StatefulSet with a number.
  Pod: /^(-[bcdfghjklmnpqrstvwxz2456789]+)?-([bcdfghjklmnpqrstvwxz2456789]{5}|\d+)$/,
};

/** An event as callers are told of it. */
export function clusterEvent(event: LiveObject): ClusterEvent {
  const involved = (field: string) => String(fieldAt(event, "involvedObject", field) ?? "");
  const series = fieldAt(event, "series");
  return {
    time: timeOf(event, series),
    count: Number(fieldAt(series, "count") ?? event["count"] ?? 1),
    warning: event["type"] === "Warning",
    reason: String(event["reason"] ?? ""),
    object: `${involved("kind")}/${involved("namespace")}/${involved("name")}`,
    message: String(event["message"] ?? ""),
  };
}

function timeOf(event: LiveObject, series: unknown): number {
  const times = [
    fieldAt(series, "lastObservedTime"),
    event["lastTimestamp"],
    event["eventTime"],
    event["firstTimestamp"],
    event.metadata.creationTimestamp,
  ];
  return Date.parse(String(times.find((time) => typeof time === "string"))) || 0;
}
