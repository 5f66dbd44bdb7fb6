import type { ClusterEvent } from "@mpc/services";
import { listKinds } from "../client/bulk_requests.ts";
import { CRON_JOB, JOB, keyOf, POD, REPLICA_SET } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { CONTROLLER_KINDS, KEPT_KINDS, WORKLOAD_KINDS } from "../managed_kinds.ts";
import { workloadSelector } from "../objects/ownership.ts";
import { type ObjectEvent, readEvents } from "./cluster_events.ts";

/** The kinds of objects that a workload may have, or that controllers make for it. */
const KINDS: ReadonlySet<string> = new Set(
  [...WORKLOAD_KINDS, ...KEPT_KINDS, POD, REPLICA_SET].map(keyOf),
);

/** The kinds whose objects the cluster generates others from. */
const GENERATING: ReadonlySet<string> = new Set(
  [...CONTROLLER_KINDS, REPLICA_SET, JOB, CRON_JOB].map(keyOf),
);

/** The cluster's events about a workload's objects, oldest first. */
export async function workloadEvents(
  client: KubeClient,
  { environment, workload }: { readonly environment: string; readonly workload: string },
  signal: AbortSignal,
): Promise<readonly ClusterEvent[]> {
  const events = await readEvents(client, { namespace: environment }, signal);
  const labelSelector = workloadSelector(workload);
  // A chart names its objects as it likes, so only their labels tell whose they are.
  const unclear = kindsOf(events.filter((event) => !isAbout(event, workload)));
  const owned = await listKinds(
    client,
    unclear,
    { namespace: environment, labelSelector },
    signal,
  );
  const own = new Set(owned.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const generating = owned.filter((object) => GENERATING.has(keyOf(object)))
    .map(({ metadata }) => metadata.name);
  return events.filter((event) =>
    isAbout(event, workload) || own.has(`${event.kind.kind}/${event.name}`) ||
    generating.some((name) => isGenerated(event, name))
  ).map(toClusterEvent);
}

/** The kinds of what events are about, as far as a workload may have objects of them. */
function kindsOf(events: readonly ObjectEvent[]): readonly ObjectKind[] {
  const kinds = new Map(events.map(({ kind }) => [keyOf(kind), kind]));
  return [...kinds].flatMap(([key, kind]) => KINDS.has(key) ? [kind] : []);
}

/**
 * Matches by name, because an event may outlive its object. The objects of a workload with an image
 * begin with its id.
 */
const isAbout = (event: ObjectEvent, workload: string): boolean =>
  event.name === workload || event.name.startsWith(`${workload}.`) ||
  isGenerated(event, workload);

/**
 * Whether the cluster has generated an object from the object of this name. The kind distinguishes
 * the workload `web-2` from the objects of `web`.
 */
function isGenerated({ kind: { kind }, name }: ObjectEvent, owner: string): boolean {
  return name.startsWith(`${owner}-`) &&
    (GENERATED[kind]?.test(name.slice(owner.length)) ?? false);
}

/** The suffixes that Kubernetes generates (apimachinery, `rand.SafeEncodeString`). */
const GENERATED: Readonly<Record<string, RegExp>> = {
  ReplicaSet: /^-[bcdfghjklmnpqrstvwxz2456789]+$/,
  // From a CronJob.
  Job: /^-\d{6,}$/,
  // Two parts for a ReplicaSet or a CronJob, one for a DaemonSet or a Job, a number for a StatefulSet.
  Pod: /^(-[bcdfghjklmnpqrstvwxz2456789]+|-\d{6,})?-([bcdfghjklmnpqrstvwxz2456789]{5}|\d+)$/,
};

const toClusterEvent = (
  { time, count, warning, reason, object, message }: ObjectEvent,
): ClusterEvent => ({ time, count, warning, reason, object, message });
