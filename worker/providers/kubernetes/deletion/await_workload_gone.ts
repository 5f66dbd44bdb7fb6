import type { PlannedChange } from "@mpc/domain";
import type { WorkloadRef, WorkloadWait } from "@mpc/services";
import { reportChanges } from "../../report_changes.ts";
import { sleepUntilChanged } from "../../sleep_until_changed.ts";
import { listKinds } from "../client/bulk_requests.ts";
import type { ObjectKind } from "../client/kube_object.ts";
import { ownedBy } from "../objects/ownership.ts";
import { transientFailure, type WatchedCluster } from "../watch/cluster_watch.ts";
import { TrackedObject } from "../watch/tracked_object.ts";
import { objectBlockers, outageBlockers } from "./deletion_blockers.ts";

/** Waits on the cluster's shared watches until no object of a workload is left. */
export async function awaitWorkloadGone(
  cluster: WatchedCluster,
  { environment: namespace, uid }: WorkloadRef,
  kinds: readonly ObjectKind[],
  call: WorkloadWait,
): Promise<void> {
  const { client, watch, clock } = cluster;
  const { signal, onBlocked, deleted } = call;
  const awaited = kinds.filter(({ kind }) => !deleted || deleted.some(isOf(kind)));
  const left = await listKinds(client, awaited, { namespace, labelSelector: ownedBy(uid) }, signal);
  // Only kinds with remaining objects need a watch.
  const tracked = left.map((object) => new TrackedObject(watch.informer(object), uid, object));
  const report = reportChanges(onBlocked);
  for (;;) {
    const changed = watch.changed(uid);
    const remaining = tracked.filter((object) => object.current() !== undefined);
    if (remaining.length === 0) return;
    const outage = transientFailure(remaining.map(({ failure }) => failure));
    const blockers = remaining.flatMap((object) => objectBlockers(object.current()));
    report([...blockers, ...outageBlockers(client.cluster, outage)]);
    await sleepUntilChanged(clock, undefined, signal, changed);
  }
}

const isOf = (kind: string) => ({ object }: PlannedChange): boolean =>
  object.startsWith(`${kind}/`);
