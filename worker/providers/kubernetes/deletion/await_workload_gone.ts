import type { PlannedChange } from "@mpc/domain";
import type { WorkloadRef, WorkloadWait } from "@mpc/services";
import { reportChanges } from "../../report_changes.ts";
import { sleepUntilChanged } from "../../sleep_until_changed.ts";
import { listKinds } from "../client/bulk_requests.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { type LiveObject, type ObjectKind, refOf } from "../client/kube_object.ts";
import { PRIVATE_KINDS } from "../managed_kinds.ts";
import { ownedBy, ownerOf } from "../objects/ownership.ts";
import { transientFailure, type WatchedCluster } from "../watch/cluster_watch.ts";
import { TrackedObject } from "../watch/tracked_object.ts";
import { objectBlockers, outageBlockers } from "./deletion_blockers.ts";

const POLL_MS = 1_000;

/**
 * Waits on the cluster's shared watches until no object of a workload is left.
 * @param known the objects of all workloads whose deletion was requested, as they were before it
 */
export async function awaitWorkloadGone(
  cluster: WatchedCluster,
  { environment: namespace, uid }: WorkloadRef,
  { kinds, known }: {
    readonly kinds: readonly ObjectKind[];
    readonly known: readonly LiveObject[] | undefined;
  },
  call: WorkloadWait,
): Promise<void> {
  const { client, watch, clock } = cluster;
  const { signal, onBlocked, deleted } = call;
  const awaited = kinds.filter(({ kind }) => !deleted || deleted.some(isOf(kind)));
  const own = known?.filter((object) => ownerOf(object) === uid);
  // A watch begins only for kinds with remaining objects.
  const left = own?.every((object) => watch.isWatching(object))
    ? own
    : await listKinds(client, awaited, { namespace, labelSelector: ownedBy(uid) }, signal);
  // Private kinds may not be watched everywhere; they remain only if a finalizer keeps them, so they
  // are read again and again.
  const isPrivate = ({ kind }: LiveObject) => PRIVATE_KINDS.some((it) => it.kind === kind);
  const tracked = left.filter((object) => !isPrivate(object))
    .map((object) => new TrackedObject(watch.informer(object), uid, object));
  let polled: readonly LiveObject[] = left.filter(isPrivate);
  const report = reportChanges(onBlocked);
  for (;;) {
    const changed = watch.changed(uid);
    const remaining = tracked.filter((object) => object.current() !== undefined);
    polled = await stillThere(client, polled, signal);
    if (remaining.length + polled.length === 0) return;
    const outage = transientFailure(remaining.map(({ failure }) => failure));
    const blockers = [...remaining.map((object) => object.current()), ...polled]
      .flatMap(objectBlockers);
    report([...blockers, ...outageBlockers(client.cluster, outage)]);
    const recheckAt = polled.length > 0 ? clock.now() + POLL_MS : undefined;
    await sleepUntilChanged(clock, recheckAt, signal, changed);
  }
}

/** The current state of objects that are still there. */
async function stillThere(
  client: KubeClient,
  objects: readonly LiveObject[],
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const read = await Promise.all(objects.map((object) => client.get(refOf(object), { signal })));
  return read.filter((object, index) => object?.metadata.uid === objects[index]?.metadata.uid)
    .flatMap((object) => object ?? []);
}

const isOf = (kind: string) => ({ object }: PlannedChange): boolean =>
  object.startsWith(`${kind}/`);
